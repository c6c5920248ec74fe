from codemods.registry import all_rules


def test_every_rule_is_listed_once_in_order(invoke):
    result = invoke("rules")
    assert result.code == 0
    codes = [line.split()[0] for line in result.out.splitlines()]
    assert codes == [rule.code for rule in all_rules()]
    assert "AGL201  review  Trainer argument was renamed\n" in result.out


def test_a_rule_is_explained(invoke):
    result = invoke("explain", "agl201")
    assert result.code == 0
    assert result.out.startswith("AGL201: Trainer argument was renamed\nApplicability: review\n")
    assert "Before:\n    trainer = Trainer(n_workers=8, max_tasks=10)\n" in result.out
    assert "After:\n    trainer = Trainer(n_runners=8, max_rollouts=10)\n" in result.out


def test_a_name_of_the_legacy_api_is_explained(invoke):
    result = invoke("explain", "TripletExporter")
    assert result.code == 0
    assert "TracerTraceToTriplet" in result.out
    assert invoke("explain", "agentlightning.tracer.triplet.TripletExporter").code == 0


def test_an_unknown_word(invoke):
    result = invoke("explain", "AGL999")
    assert result.code == 2
    assert "AGL999" in result.err
