use super::*;
use crate::secret::RecoverySeed;
use crate::wire::v1::recovery::RecoveryCard;
use proptest::prelude::*;

const AGENCY: AgencyId = AgencyId([7; 32]);

fn rng() -> impl CryptoRng {
    rand_core::UnwrapErr(getrandom::SysRng)
}

fn key(version: u32) -> RecoverySeeds {
    RecoverySeeds::from_seed(version, RecoverySeed::from_bytes([9; 32]))
}

fn pair() -> RecoverySeeds {
    RecoverySeeds {
        version: 1,
        recipient: RecipientSeed::from_bytes([1; 32]),
        signing: SigningSeed::from_bytes([2; 32]),
        seed: None,
    }
}

fn cards(threshold: u8, shares: u8) -> Vec<RecoveryCard> {
    split(AGENCY, &key(1), threshold, shares, &mut rng()).unwrap().1
}

fn pick(cards: &[RecoveryCard], places: &[usize]) -> Vec<RecoveryCard> {
    places.iter().map(|at| cards[*at].clone()).collect()
}

#[test]
fn chk_123_each_subset_of_the_threshold_gives_the_key_and_no_smaller_one_does() {
    for (threshold, shares) in [(2, 2), (2, 3), (3, 5), (5, 5)] {
        for seeds in [key(1), pair()] {
            let (_, cards) = split(AGENCY, &seeds, threshold, shares, &mut rng()).unwrap();
            let all = subsets(cards.len(), usize::from(threshold));
            for places in &all {
                let back = combine(AGENCY, &pick(&cards, places)).unwrap();
                assert!(
                    back.recipient == seeds.recipient && back.signing == seeds.signing,
                    "{places:?}"
                );
                assert_eq!(back.seed.is_some(), seeds.seed.is_some());
            }
            for places in subsets(cards.len(), usize::from(threshold) - 1) {
                let fault = combine(AGENCY, &pick(&cards, &places)).unwrap_err();
                assert_eq!(fault.check, Check::CardsMissing, "{places:?}");
            }
            assert!(combine(AGENCY, &cards).is_ok(), "more than are needed");
        }
    }
    assert_eq!(subsets(5, 3).len(), 10);
}

#[test]
fn fewer_cards_than_the_threshold_interpolate_to_something_else() {
    let cards = cards(3, 5);
    let short = at(0, &cards[..2]).unwrap();
    assert_ne!(short.as_slice(), [9; 32]);
}

#[test]
fn a_threshold_of_one_or_above_the_cards_is_refused() {
    for (threshold, shares) in [(0, 3), (1, 3), (4, 3), (2, 17), (2, 0)] {
        let refused = split(AGENCY, &key(1), threshold, shares, &mut rng()).unwrap_err();
        assert_eq!(refused.check, Check::CardsMissing, "{threshold} of {shares}");
    }
}

#[test]
fn chk_122_a_card_given_twice_is_named() {
    let cards = cards(2, 3);
    let fault = combine(AGENCY, &pick(&cards, &[1, 0, 1])).unwrap_err();
    assert_eq!(
        fault,
        CardFault {
            card: Some(2),
            other: Some(0),
            check: Check::CardRepeated
        }
    );
}

#[test]
fn chk_121_a_card_of_another_set_or_agency_is_named() {
    let (mine, other) = (cards(2, 3), cards(2, 3));
    let fault = combine(AGENCY, &[mine[0].clone(), other[1].clone()]).unwrap_err();
    assert_eq!((fault.card, fault.check), (Some(1), Check::CardSet));
    let fault = combine(AgencyId([8; 32]), &mine).unwrap_err();
    assert_eq!((fault.card, fault.check), (Some(0), Check::CardSet));
}

#[test]
fn chk_124_attack_37_a_forged_share_or_a_swapped_threshold_does_not_combine() {
    let cards = cards(3, 5);
    let mut forged = pick(&cards, &[0, 1, 2]);
    forged[1].share[5] ^= 1;
    assert_eq!(combine(AGENCY, &forged).unwrap_err().check, Check::CardsCombine);
    let mut lowered = pick(&cards, &[0, 1]);
    for card in &mut lowered {
        card.threshold = 2;
    }
    assert_eq!(combine(AGENCY, &lowered).unwrap_err().check, Check::CardsCombine);
    // The same first bytes of an agency's id, and another agency.
    let mut near = AGENCY;
    near.0[31] ^= 1;
    assert_eq!(combine(near, &cards).unwrap_err().check, Check::CardsCombine);
}

#[test]
fn chk_120_a_word_that_is_none_is_named_by_its_place() {
    let card = &cards(2, 3)[0];
    let mut words = words::encode(card).unwrap().to_vec();
    assert_eq!(words.len(), 40);
    assert_eq!(words::decode(&words).unwrap(), *card);
    words[16] = "abandom".to_owned();
    let expected = words::WordsError::Unknown {
        at: 17,
        near: Some("abandon"),
    };
    assert_eq!(words::decode(&words).unwrap_err(), expected);
    words.pop();
    words[16] = "abandon".to_owned();
    assert_eq!(
        words::decode(&words).unwrap_err(),
        words::WordsError::Count { found: 39 }
    );
}

#[test]
fn chk_120_a_wrong_word_of_the_list_is_found_by_the_check() {
    let card = &cards(2, 3)[1];
    let good = words::encode(card).unwrap();
    let mut wrong = good.to_vec();
    wrong[30] = if wrong[30] == "zoo" { "zone" } else { "zoo" }.to_owned();
    let error = words::decode(&wrong).unwrap_err();
    assert_eq!(error, words::WordsError::Check { at: vec![31] });
    assert!(error.to_string().ends_with("look at word 31"), "{error}");
    wrong[2] = if wrong[2] == "zoo" { "zone" } else { "zoo" }.to_owned();
    assert_eq!(
        words::decode(&wrong).unwrap_err(),
        words::WordsError::Check { at: vec![] }
    );
}

#[test]
fn numbers_case_comments_and_short_forms_do_not_matter() {
    let card = &cards(2, 3)[2];
    let good = words::encode(card).unwrap();
    let mut text = String::from("# card 3 of 3\n");
    for (at, word) in good.iter().enumerate() {
        let short: String = word.chars().take(4).collect();
        text.push_str(&format!(
            "{:2}. {}{}",
            at + 1,
            short.to_uppercase(),
            if at % 4 == 3 { "\n" } else { "  " }
        ));
    }
    assert_eq!(words::decode(&words::find(&text)).unwrap(), *card);
}

#[test]
fn the_list_is_the_public_one() {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(include_bytes!("english.txt"));
    let known = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda";
    assert_eq!(data_encoding::HEXLOWER.encode(&digest), known);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_card_comes_back_from_its_words(seed: [u8; 32], threshold in 2u8..6, more in 0u8..4, version in 1u32..65_536) {
        let key = RecoverySeeds::from_seed(version, RecoverySeed::from_bytes(seed));
        let (set, cards) = split(AGENCY, &key, threshold, threshold + more, &mut rng()).unwrap();
        for card in &cards {
            prop_assert_eq!(&words::decode(&words::encode(card).unwrap()).unwrap(), card);
        }
        let found = compare(&cards, Some(AGENCY)).unwrap();
        prop_assert_eq!(found, set);
    }
}
