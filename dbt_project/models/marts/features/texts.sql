{{ config(meta={'window_column': 'known_on'}) }}

with

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

tickets as (

    select * from {{ ref('stg_support__tickets') }}

),

nps_responses as (

    select * from {{ ref('stg_feedback__nps_responses') }}

),

reviews as (

    select * from {{ ref('stg_feedback__references') }}

),

call_notes as (

    select * from {{ ref('stg_meetings__notes') }}

),

turns as (

    select * from {{ ref('stg_meetings__turns') }}

),

owner_notes as (

    select * from {{ ref('stg_crm__owner_notes') }}

),

unioned as (

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        account_id as given_account_id,
        email_domain,
        'ticket' as kind,
        'customer' as speaker_side,
        case
            when subject is null then body
            when body is null then subject
            else subject || chr(10) || body
        end as body,
        requester_key,
        topic,
        department,
        happened_at,
        happened_on

    from tickets

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        account_id as given_account_id,
        email_domain,
        'nps' as kind,
        'customer' as speaker_side,
        comment as body,
        person_key as requester_key,
        cast(null as string) as topic,
        cast(null as string) as department,
        happened_at,
        happened_on

    from nps_responses

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        'transcript' as kind,
        speaker_side,
        body,
        person_key as requester_key,
        cast(null as string) as topic,
        cast(null as string) as department,
        happened_at,
        happened_on

    from turns

    union all

    -- Notes are the vendor's words, also where they tell what a customer said.
    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        'note' as kind,
        'vendor' as speaker_side,
        body,
        cast(null as string) as requester_key,
        cast(null as string) as topic,
        cast(null as string) as department,
        happened_at,
        happened_on

    from call_notes

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        'note' as kind,
        'vendor' as speaker_side,
        body,
        cast(null as string) as requester_key,
        cast(null as string) as topic,
        cast(null as string) as department,
        happened_at,
        happened_on

    from owner_notes

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        'review' as kind,
        'customer' as speaker_side,
        body,
        cast(null as string) as requester_key,
        cast(null as string) as topic,
        cast(null as string) as department,
        happened_at,
        happened_on

    from reviews

),

first_versions as (

    select
        *,
        source_table || ':' || row_key as text_id

    from unioned

    where version_no = 1
        and trim(body) <> ''
        and known_on < {{ window_end() }}
        {% if is_incremental() -%}
        and (known_on >= {{ window_start() }} or given_account_id is null)
        {%- endif %}

),

matched as (

    {{ matched_to_account('first_versions', 'account_keys', {'domain': 'email_domain'}, 'text_id') }}

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
