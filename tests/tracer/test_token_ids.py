"""Token ids and log probabilities, wherever servers and clients put them."""

from __future__ import annotations

import json
from types import SimpleNamespace as Answer

import pytest

from agentlightning_compat.tracer.token_ids import tokens_of


class Probability(Answer):
    def model_dump(self):
        return vars(self)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (None, {}),
        (Answer(), {}),
        (Answer(choices=[]), {}),
        (Answer(prompt_token_ids=None, response_token_ids=None, choices=None), {}),
        (
            Answer(prompt_token_ids=(1, 2), response_token_ids=[[3], [4]]),
            {"prompt_token_ids": [1, 2], "response_token_ids": [3]},
        ),
        (Answer(choices=[Answer(token_ids=[5])]), {"response_token_ids": [5]}),
        (
            Answer(response_token_ids=[[3]], choices=[Answer(token_ids=[5])]),
            {"response_token_ids": [3]},
        ),
        (
            Answer(choices=[Answer(provider_specific_fields={"token_ids": [6]})]),
            {"response_token_ids": [6]},
        ),
        # 0.3.0 fails on this one.
        (Answer(choices=[Answer(token_ids=None, provider_specific_fields=None)]), {}),
        (Answer(parse=lambda: Answer(prompt_token_ids=[7])), {"prompt_token_ids": [7]}),
    ],
)
def test_token_ids_of_an_answer(answer, found):
    assert tokens_of(answer) == found


def test_log_probabilities_of_an_answer():
    content = [Probability(token="a", logprob=-0.5)]
    answer = Answer(choices=[Answer(logprobs=Answer(content=content, refusal=None))])
    made = tokens_of(answer)
    assert list(made) == ["logprobs.content"]
    assert json.loads(made["logprobs.content"]) == [{"token": "a", "logprob": -0.5}]
