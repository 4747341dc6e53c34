use crate::forge::CaseFile;
use crate::forge::World;
use crate::wire::v1::stream::Section;

#[test]
fn honest_data_is_accepted() {
    let mut world = World::new(1, 3);
    world
        .try_event(0, crate::wire::v1::event::Event::AgencyEpoch(world.agency_epoch()))
        .unwrap();
    let mut case = CaseFile::shared(&world, 1, 3);
    for person in 0..3 {
        let made = case.note(&world, person, Section::CORE, person as u8);
        case.try_record(&world, person, &made).unwrap();
    }
}
