{{ config(materialized='view') }}

{#- What people wrote or said, one entry per source. What an entry leaves out is as `columns` has it.
    Notes are the vendor's words, also where they tell what a customer said. -#}
{%- set columns = {
    'given_account_id': 'account_id',
    'email_key': 'cast(null as string)',
    'kind': 'kind',
    'speaker_side': "'customer'",
    'body': 'body',
    'requester_key': 'cast(null as string)',
    'topic': 'cast(null as string)',
    'department': 'cast(null as string)',
    'happened_at': 'happened_at',
    'happened_on': 'happened_on',
    'replaced_on': 'replaced_on',
} -%}
{%- set sources = [
    {
        'relation': ref('stg_support__tickets'),
        'email_key': 'email_key',
        'kind': "'ticket'",
        'body': 'concat_ws(chr(10), subject, body)',
        'requester_key': 'requester_key',
        'topic': 'topic',
        'department': 'department',
    },
    {
        'relation': ref('stg_feedback__nps_responses'),
        'email_key': 'email_key',
        'kind': "'nps'",
        'body': 'comment',
        'requester_key': 'person_key',
    },
    {
        'relation': ref('stg_meetings__turns'),
        'kind': "'transcript'",
        'speaker_side': 'speaker_side',
        'requester_key': 'person_key',
    },
    {'relation': ref('stg_meetings__notes'), 'kind': "'note'", 'speaker_side': "'vendor'"},
    {'relation': ref('stg_crm__owner_notes'), 'kind': "'note'", 'speaker_side': "'vendor'"},
    {'relation': ref('stg_feedback__references'), 'kind': "'review'"},
] -%}

with

unioned as (

    {{ unioned_sources(sources, columns, condition='true') }}

)

select
    *,
    source_table || ':' || row_key as text_id

from unioned
