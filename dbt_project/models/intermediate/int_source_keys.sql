{{ config(
    materialized='incremental',
    incremental_strategy='replace_window',
    meta={'window_column': 'first_known_on'},
) }}

{#- What a source is matched by: rows without an account id lead to one through a domain, a subscription or a user. -#}
{%- set account_sources = [
    ('billing', 'stg_billing__subscription_lines', 'true'),
    ('contacts', 'stg_crm__contacts', 'true'),
    ('contacts', 'stg_crm__contact_role_changes', 'true'),
    ('notes', 'stg_crm__owner_notes', 'true'),
    ('feedback', 'stg_feedback__references', 'true'),
    ('meetings', 'stg_meetings__notes', 'true'),
    ('meetings', 'stg_meetings__turns', 'true'),
    ('engagement', 'stg_engagement__events', 'true'),
    ('engagement', 'stg_engagement__health_scores', 'true'),
    ('metering', 'stg_product__metered_usage', 'true'),
    ('product', 'stg_product__usage', 'user_id is not null'),
    ('support', 'stg_support__tickets', 'true'),
    ('ticket_texts', 'stg_support__tickets', 'body is not null'),
    ('feedback', 'stg_feedback__nps_responses', 'true'),
    ('identity', 'stg_identity__directory_entries', 'true'),
] -%}
{%- set keyed_sources = [
    ('support', 'stg_support__tickets', 'domain', 'email_domain'),
    ('ticket_texts', 'stg_support__tickets', 'domain', 'case when body is not null then email_domain end'),
    ('feedback', 'stg_feedback__nps_responses', 'domain', 'email_domain'),
    ('identity', 'stg_identity__directory_entries', 'domain', 'email_domain'),
    ('people', 'stg_people__job_alerts', 'domain', 'account_domain'),
    ('people', 'stg_people__signature_changes', 'domain', 'email_domain'),
    ('people', 'stg_people__signature_changes', 'person', 'person_key'),
    ('people', 'stg_people__absence_patterns', 'domain', 'email_domain'),
    ('people', 'stg_people__absence_patterns', 'person', 'person_key'),
    ('growth', 'stg_growth__headcounts', 'domain', 'account_domain'),
    ('growth', 'stg_growth__events', 'domain', 'account_domain'),
    ('growth', 'stg_growth__intent_topics', 'domain', 'account_domain'),
] -%}
{#- An override of an address brings all that the address ever said, on the day the override counts. -#}
{%- set addressed_sources = [
    ('support', 'stg_support__tickets', 'requester_key', 'account_id is null'),
    ('ticket_texts', 'stg_support__tickets', 'requester_key', 'account_id is null and body is not null'),
    ('feedback', 'stg_feedback__nps_responses', 'person_key', 'account_id is null'),
    ('identity', 'stg_identity__directory_entries', 'person_key', 'account_id is null'),
    ('people', 'stg_people__signature_changes', 'person_key', 'true'),
    ('people', 'stg_people__absence_patterns', 'person_key', 'true'),
] -%}
{#- Kinds of records that any account ever had: before the first, a count of none would be a guess. -#}
{%- set kind_sources = [
    ('engagement_events', 'stg_engagement__events', 'kind'),
    ('growth_events', 'stg_growth__events', 'kind'),
    ('feedback_references', 'stg_feedback__references', 'kind'),
    ('feedback_nps', 'stg_feedback__nps_responses', "'answer'"),
    ('growth_intent', 'stg_growth__intent_topics', "'topic'"),
    ('product_limit_events', 'stg_product__limit_events', 'kind'),
    ('product_workflow_events', 'stg_product__workflow_events', 'kind'),
    ('billing_subscription_lines', 'stg_billing__subscription_lines', "case when module is not null then 'module' end"),
] -%}
{%- set with_account_id = ['support', 'ticket_texts', 'feedback', 'identity'] -%}

with

email_overrides as (

    select
        match_key,
        min(from_on) as from_on

    from {{ ref('stg_identity__overrides') }}

    where key_kind = 'email'

    group by match_key

),

arrived as (

    {% for source_name, model, condition in account_sources -%}
    select '{{ source_name }}' as source_name, 'account' as key_kind, account_id as match_key, known_on
    from {{ ref(model) }}
    where {{ newly_known('known_on') }} and account_id is not null and {{ condition }}

    union all

    {% endfor -%}
    {% for source_name, model, key_kind, key in keyed_sources -%}
    select '{{ source_name }}' as source_name, '{{ key_kind }}' as key_kind, {{ key }} as match_key, known_on
    from {{ ref(model) }}
    where {{ newly_known('known_on') }}
        and {{ key }} is not null
        {{ 'and account_id is null' if source_name in with_account_id }}

    union all

    {% endfor -%}
    {% for table, model, kind in kind_sources -%}
    select '{{ table }}' as source_name, 'kind' as key_kind, {{ kind }} as match_key, known_on
    from {{ ref(model) }}
    where {{ newly_known('known_on') }} and {{ kind }} is not null

    union all

    {% endfor -%}
    {% for source_name, model, person, condition in addressed_sources -%}
    select
        '{{ source_name }}' as source_name,
        'domain' as key_kind,
        email_overrides.match_key,
        greatest(said.known_on, email_overrides.from_on) as known_on
    from {{ ref(model) }} as said
    inner join email_overrides on said.{{ person }} = email_overrides.match_key
    where {{ newly_known('greatest(said.known_on, email_overrides.from_on)') }}
        and {{ condition }}

    union all

    {% endfor -%}
    select 'product' as source_name, 'subscription' as key_kind, subscription_id as match_key, known_on
    from {{ ref('stg_product__usage') }}
    where {{ newly_known('known_on') }}
        and account_id is null
        and subscription_id is not null
        and user_id is not null

    union all

    select 'product' as source_name, 'user' as key_kind, user_id as match_key, known_on
    from {{ ref('stg_product__usage') }}
    where {{ newly_known('known_on') }}
        and account_id is null
        and subscription_id is null
        and user_id is not null

),

first_arrivals as (

    select
        source_name,
        key_kind,
        match_key,
        min(known_on) as first_known_on

    from arrived

    group by source_name, key_kind, match_key

)

select first_arrivals.* from first_arrivals

{% if is_incremental() %}
left join {{ this }} as earlier
    on first_arrivals.source_name = earlier.source_name
    and first_arrivals.key_kind = earlier.key_kind
    and first_arrivals.match_key = earlier.match_key
    and earlier.first_known_on < {{ window_start() }}

where earlier.match_key is null
{% endif %}
