{{ config(meta={'window_column': 'known_on'}) }}

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

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

unioned as (

    {{ unioned_sources(sources, columns) }}

),

window_texts as (

    select
        *,
        source_table || ':' || row_key as text_id

    from unioned

    where trim(body) <> ''
        and known_on < {{ window_end() }}
        {% if is_incremental() -%}
        and (known_on >= {{ window_start() }} or given_account_id is null)
        {%- endif %}

),

matched as (

    {{ matched_to_account('window_texts', 'account_keys', {'domain': 'email_key'}, 'text_id') }}

)

select
    ---------- ids
    text_id,
    account_id,
    source_table,
    row_key,
    requester_key,

    ---------- texts
    kind,
    speaker_side,
    body,
    md5(body) as content_hash,
    topic,
    department,

    ---------- dates and times
    happened_at,
    happened_on,
    known_at,
    account_known_on as known_on

from matched

where match_rank = 1
    and {{ newly_known('account_known_on') }}
