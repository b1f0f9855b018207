{{ config(meta={'window_column': 'known_on'}) }}

with

tickets as (

    select * from {{ ref('stg_support__tickets') }}

),

nps_responses as (

    select * from {{ ref('stg_feedback__nps_responses') }}

),

references_given as (

    select * from {{ ref('stg_feedback__references') }}

),

call_notes as (

    select * from {{ ref('stg_meetings__notes') }}

),

owner_notes as (

    select * from {{ ref('stg_crm__owner_notes') }}

),

meetings as (

    select
        *,
        lag(status) over (partition by meeting_id order by known_from, version_no) as previous_status

    from {{ ref('stg_crm__meetings') }}

),

opportunities as (

    select
        *,
        lag(stage) over (partition by opportunity_id order by known_from, version_no) as previous_stage

    from {{ ref('stg_crm__opportunities') }}

),

goals as (

    select
        *,
        lag(status) over (partition by goal_id order by known_from, version_no) as previous_status

    from {{ ref('stg_crm__goals') }}

),

subscription_lines as (

    select * from {{ ref('stg_billing__subscription_lines') }}

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

engagement_events as (

    select * from {{ ref('stg_engagement__events') }}

),

health_scores as (

    select * from {{ ref('stg_engagement__health_scores') }}

),

growth_events as (

    select * from {{ ref('stg_growth__events') }}

),

intent_topics as (

    select * from {{ ref('stg_growth__intent_topics') }}

),

limit_events as (

    select * from {{ ref('stg_product__limit_events') }}

),

play_log_events as (

    select * from {{ ref('stg_play_log__events') }}

),

contact_moves as (

    select * from {{ ref('contact_moves') }}

    where {{ newly_known('known_on') }}

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

unioned as (

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        email_domain as email_domain,
        requester_key as person_key,
        'ticket_opened' as kind,
        coalesce(topic, 'no topic') || ', ' || priority as summary

    from tickets

    where version_no = 1

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        email_domain as email_domain,
        person_key as person_key,
        'nps_answered' as kind,
        'score ' || cast(score as string) as summary

    from nps_responses

    where version_no = 1

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        'reference_' || kind as kind,
        kind as summary

    from references_given

    where version_no = 1

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        'meeting_note' as kind,
        kind as summary

    from call_notes

    where version_no = 1

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        'owner_note' as kind,
        'note of the owner' as summary

    from owner_notes

    where version_no = 1

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        case when status = 'held' then coalesce(held_at, happened_at) else happened_at end as happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        case when is_external then '' else 'internal_' end || 'meeting_' || status as kind,
        kind as summary

    from meetings

    where status is distinct from previous_status

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        'opportunity_' || stage as kind,
        kind || coalesce(' ' || cast(cast(amount as decimal(18, 2)) as string) || ' ' || currency, '') as summary

    from opportunities

    where stage is distinct from previous_stage

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        'goal_' || status as kind,
        coalesce(motion, goal) as summary

    from goals

    where status is distinct from previous_status

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        case when version_no = 1 then 'subscription_signed' else 'subscription_amended' end as kind,
        product || ' ' || unit || coalesce(' ' || cast(cast(quantity as decimal(18, 2)) as string), '') as summary

    from subscription_lines

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        case when paid_on is null then 'invoice_issued' else 'invoice_paid' end as kind,
        cast(cast(amount as decimal(18, 2)) as string) || ' ' || currency as summary

    from invoices

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        person_key as person_key,
        kind as kind,
        coalesce(title, kind) as summary

    from engagement_events

    where version_no = 1

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        'health_' || band as kind,
        'score ' || cast(cast(score as decimal(18, 1)) as string) as summary

    from health_scores

    where version_no = 1

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        cast(null as string) as given_account_id,
        account_domain as email_domain,
        cast(null as string) as person_key,
        kind as kind,
        coalesce(title, kind) as summary

    from growth_events

    where version_no = 1

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        cast(null as string) as given_account_id,
        account_domain as email_domain,
        cast(null as string) as person_key,
        'intent_topic' as kind,
        topic as summary

    from intent_topics

    where version_no = 1

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        'limit_' || kind as kind,
        coalesce(feature, kind) as summary

    from limit_events

    where version_no = 1

    union all

    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        happened_at,
        account_id as given_account_id,
        cast(null as string) as email_domain,
        cast(null as string) as person_key,
        'play_' || event_type as kind,
        coalesce(trigger || ' ', '') || event_type || coalesce(': ' || reason, '') as summary

    from play_log_events

    where version_no = 1

),

window_events as (

    select
        *,
        md5(source_table || '|' || row_key || '|' || cast(version_no as string)) as event_key

    from unioned

    where known_on < {{ window_end() }}
        {% if is_incremental() -%}
        and (known_on >= {{ window_start() }} or given_account_id is null)
        {%- endif %}

),

matched as (

    {{ matched_to_account('window_events', 'account_keys', {'domain': 'email_domain'}, 'event_key') }}

),

timeline as (

    select
        event_key,
        account_id,
        source_table,
        row_key,
        person_key,
        kind,
        summary,
        happened_at,
        known_at,
        account_known_on as known_on

    from matched

    where match_rank = 1
        and {{ newly_known('account_known_on') }}

    union all

    select
        move_key as event_key,
        account_id,
        source_table,
        row_key,
        person_key,
        'contact_' || move as kind,
        move || coalesce(': ' || coalesce(to_title, to_deal_role, from_title, current_deal_role), '') as summary,
        happened_at,
        known_at,
        known_on

    from contact_moves

)

select * from timeline
