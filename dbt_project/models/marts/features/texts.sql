{{ config(meta={'window_column': 'known_on'}) }}

with

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

text_versions as (

    select * from {{ ref('int_text_versions') }}

),

window_texts as (

    select * from text_versions

    where version_no = 1
        and trim(body) <> ''
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
