//! A member whose access to a case has ended, and begins again.

use super::office::Office;
use super::office::asked;
use super::office::follow;
use super::office::stream_of;
use super::office::sync;
use super::require_sound;
use vault_core::sync::Request;

#[test]
fn a_case_in_which_access_ended_is_read_as_far_as_it_went_and_keeps_nothing_away() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    office.ann.note(&case, "obs: Before.");
    let grant = office.grant(&case);
    let note = office.ann.note(&case, "obs: While Ben was there.");
    office.meet();
    assert_eq!(office.ben.list(&case).unwrap().notes.len(), 2);
    let by_ben = office.ben.note(&case, "obs: Of Ben.");
    office.meet();

    office.revoke(&case, grant);
    office.ann.note(&case, "obs: Not for Ben.");
    let other = office.ann.case("ext-2");
    office.grant(&other);
    office.ann.note(&other, "obs: In the other case.");
    sync(&mut office.ann, &mut office.served).unwrap();
    let stream = stream_of(&mut office.ann, &case);
    let shown = office.served.chains[&stream].len() - 1;

    // One that ends nobody's access and is delivered no further is withheld, and nothing is left for it.
    let mut cut = office.served.clone();
    cut.ended.insert(stream, shown - 1);
    let withheld = follow(&mut office.ben, &cut, &|_, answer| answer).unwrap_err();
    assert!(withheld.to_string().contains("holds back"), "{withheld}");

    office.served.ended.insert(stream, shown);
    sync(&mut office.ben, &mut office.served).unwrap();
    assert_eq!(office.ben.list(&other).unwrap().notes.len(), 1);
    for note in [&note, &by_ben] {
        office.ben.show(note).unwrap();
    }
    require_sound(&mut office.ben);
    assert!(office.ben.add(&case, "obs: Too late.").is_err());

    // It is wanted no more, also after its store was opened anew.
    office.ann.note(&case, "obs: Later.");
    sync(&mut office.ann, &mut office.served).unwrap();
    office.ben.open();
    let (received, requests) = asked(&mut office.ben, &office.served, &|_, answer| answer);
    assert_eq!(received.unwrap(), 0);
    let of_it = |request: &Request| matches!(request, Request::Page { stream: of, .. } if *of == stream);
    assert!(!requests.iter().any(of_it));

    // Until there is a new grant.
    office.grant(&case);
    office.ann.note(&case, "obs: Ben is back.");
    sync(&mut office.ann, &mut office.served).unwrap();
    office.served.ended.clear();
    sync(&mut office.ben, &mut office.served).unwrap();
    assert_eq!(office.ben.list(&case).unwrap().notes.len(), 6);
    office.ben.note(&case, "obs: Of Ben again.");
    office.meet();
    assert_eq!(super::links(&mut office.ann).len(), super::links(&mut office.ben).len());
    for vault in [&mut office.ann, &mut office.ben] {
        require_sound(vault);
    }
}
