"""The tagger on a language model: any endpoint that speaks OpenAI's protocol, through `instructor` and `openai`.

Belongs here: prompt, answer, client, requests in flight, Batch API, money. Does not belong here: the warehouse
(``store``), which texts are due. ``instructor`` and ``openai`` take 1-2 s to import: only ``client`` does, when built.
"""
