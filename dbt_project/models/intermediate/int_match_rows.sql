{#- What a row of each table is matched by, the most telling first. -#}
{%- set addressed = {'key': 'email_key', 'status': 'email_status'} -%}
{%- set domained = {'key': 'account_domain', 'status': 'domain_status'} -%}
{%- set sources = {
    'stg_billing__invoices': none,
    'stg_billing__subscription_lines': none,
    'stg_crm__contact_role_changes': addressed,
    'stg_crm__contacts': none,
    'stg_crm__goals': none,
    'stg_crm__meetings': none,
    'stg_crm__opportunities': none,
    'stg_crm__owner_notes': none,
    'stg_engagement__events': none,
    'stg_engagement__health_scores': none,
    'stg_feedback__nps_responses': addressed,
    'stg_feedback__references': none,
    'stg_growth__events': domained,
    'stg_growth__headcounts': domained,
    'stg_growth__intent_topics': domained,
    'stg_identity__directory_entries': addressed,
    'stg_identity__logins': addressed,
    'stg_meetings__notes': none,
    'stg_meetings__turns': none,
    'stg_people__absence_patterns': addressed,
    'stg_people__job_alerts': domained,
    'stg_people__signature_changes': addressed,
    'stg_product__limit_events': none,
    'stg_product__metered_usage': none,
    'stg_product__seat_assignments': none,
    'stg_product__usage': none,
    'stg_product__users': addressed,
    'stg_product__workflow_events': none,
    'stg_support__tickets': addressed,
} -%}
{#- Records that stand until they change count while they stand, the others for the days of the match rate. -#}
{%- set standing = [
    'stg_billing__subscription_lines', 'stg_crm__contacts', 'stg_crm__goals', 'stg_crm__opportunities',
    'stg_identity__directory_entries', 'stg_product__seat_assignments', 'stg_product__users',
] -%}
{%- set without_account_id = [
    'stg_growth__events', 'stg_growth__headcounts', 'stg_growth__intent_topics',
    'stg_people__absence_patterns', 'stg_people__job_alerts', 'stg_people__signature_changes',
] -%}

with

keyed as (

    {% for model, by in sources.items() -%}
    select
        source_table,
        known_on,
        {%- if model in standing %}
        coalesce(replaced_on, {{ open_end() }}) as until_on,
        {%- else %}
        {{ add_days('known_on', var('match_days')) }} as until_on,
        {%- endif %}
        {%- if model in without_account_id %}
        'domain' as key_kind,
        {{ by.key }} as match_key,
        false as is_account_overridden,
        {{ by.status }} as key_status
        {%- elif model == 'stg_product__usage' %}
        case
            when account_id is not null then 'account'
            when subscription_id is not null then 'subscription'
            else 'user'
        end as key_kind,
        coalesce(account_id, subscription_id, user_id) as match_key,
        is_account_overridden,
        cast(null as string) as key_status
        {%- else %}
        {{ "case when account_id is not null then 'account' else 'domain' end" if by else "'account'" }} as key_kind,
        {{ 'coalesce(account_id, ' ~ by.key ~ ')' if by else 'account_id' }} as match_key,
        is_account_overridden,
        {{ 'case when account_id is null then ' ~ by.status ~ ' end' if by else 'cast(null as string)' }} as key_status
        {%- endif %}

    from {{ ref(model) }}

    where known_on < {{ window_end() }}
        {%- if model in standing %}
        and coalesce(replaced_on, {{ open_end() }}) > {{ window_start() }}
        {%- else %}
        and known_on > {{ add_days(window_start(), -var('match_days')) }}
        {%- endif %}

    {{ 'union all' if not loop.last }}

    {% endfor %}

),

counted as (

    select
        source_table,
        known_on,
        until_on,
        key_kind,
        match_key,
        is_account_overridden,
        key_status,
        count(*) as row_count

    from keyed

    where known_on < until_on

    group by source_table, known_on, until_on, key_kind, match_key, is_account_overridden, key_status

)

select * from counted
