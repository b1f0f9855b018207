{{ config(meta={'window_column': 'known_on'}) }}

{#- What happens to an account, one entry per source. What an entry leaves out is as `columns` has it. -#}
{%- set columns = {
    'happened_at': 'happened_at',
    'given_account_id': 'account_id',
    'email_key': 'cast(null as string)',
    'person_key': 'cast(null as string)',
    'kind': 'kind',
    'summary': 'kind',
} -%}
{%- set sources = [
    {
        'relation': ref('stg_support__tickets'),
        'email_key': 'email_key',
        'person_key': 'requester_key',
        'kind': "'ticket_opened'",
        'summary': "coalesce(topic, 'no topic') || ', ' || priority",
    },
    {
        'relation': ref('stg_feedback__nps_responses'),
        'email_key': 'email_key',
        'person_key': 'person_key',
        'kind': "'nps_answered'",
        'summary': "'score ' || cast(score as string)",
    },
    {'relation': ref('stg_feedback__references'), 'kind': "'reference_' || kind"},
    {'relation': ref('stg_meetings__notes'), 'kind': "'meeting_note'"},
    {'relation': ref('stg_crm__owner_notes'), 'kind': "'owner_note'", 'summary': "'note of the owner'"},
    {
        'relation': ref('stg_crm__meetings'),
        'changes_of': 'status',
        'happened_at': "case when status = 'held' then coalesce(held_at, happened_at) else happened_at end",
        'kind': "case when is_external then '' else 'internal_' end || 'meeting_' || status",
    },
    {
        'relation': ref('stg_crm__opportunities'),
        'changes_of': 'stage',
        'kind': "'opportunity_' || stage",
        'summary': "kind || coalesce(' ' || cast(cast(amount as decimal(18, 2)) as string) || ' ' || currency, '')",
    },
    {
        'relation': ref('stg_crm__goals'),
        'changes_of': 'status',
        'kind': "'goal_' || status",
        'summary': 'coalesce(motion, goal)',
    },
    {
        'relation': ref('stg_billing__subscription_lines'),
        'condition': 'true',
        'kind': "case when version_no = 1 then 'subscription_signed' else 'subscription_amended' end",
        'summary': "product || ' ' || unit || coalesce(' ' || cast(cast(quantity as decimal(18, 2)) as string), '')",
    },
    {
        'relation': ref('stg_billing__invoices'),
        'condition': 'true',
        'kind': "case when paid_on is null then 'invoice_issued' else 'invoice_paid' end",
        'summary': "cast(cast(amount as decimal(18, 2)) as string) || ' ' || currency",
    },
    {
        'relation': ref('stg_crm__accounts'),
        'changes_of': "concat_ws('|', account_name, owner_id, segment, account_status, cast(arr as string),"
            ~ " cast(renewal_on as string))",
        'kind': "case when version_no = 1 then 'account_known' else 'account_changed' end",
        'summary': "concat_ws(', ', account_name, segment, account_status,"
            ~ " cast(cast(arr as decimal(18, 0)) as string) || coalesce(' ' || currency, ''))",
    },
    {'relation': ref('stg_engagement__events'), 'person_key': 'person_key', 'summary': 'coalesce(title, kind)'},
    {
        'relation': ref('stg_engagement__health_scores'),
        'kind': "'health_' || band",
        'summary': "'score ' || cast(cast(score as decimal(18, 1)) as string)",
    },
    {
        'relation': ref('stg_growth__events'),
        'given_account_id': 'cast(null as string)',
        'email_key': 'account_domain',
        'summary': 'coalesce(title, kind)',
    },
    {
        'relation': ref('stg_growth__headcounts'),
        'given_account_id': 'cast(null as string)',
        'email_key': 'account_domain',
        'kind': "'headcount_observed'",
        'summary': "department || ': ' || cast(headcount as string)",
    },
    {
        'relation': ref('stg_growth__intent_topics'),
        'given_account_id': 'cast(null as string)',
        'email_key': 'account_domain',
        'kind': "'intent_topic'",
        'summary': 'topic',
    },
    {'relation': ref('stg_product__limit_events'), 'kind': "'limit_' || kind", 'summary': 'coalesce(feature, kind)'},
    {
        'relation': ref('stg_product__seat_assignments'),
        'changes_of': 'released_on',
        'kind': "case when released_on is null then 'seat_assigned' else 'seat_released' end",
        'summary': "'seat of one user'",
    },
    {
        'relation': ref('stg_product__workflow_events'),
        'summary': "replace(kind, '_', ' ') || coalesce(': ' || cast(cast(quantity as decimal(18, 0)) as string), '')",
    },
    {
        'relation': ref('stg_identity__directory_entries'),
        'email_key': 'email_key',
        'person_key': 'person_key',
        'changes_of': "concat_ws('|', department, role)",
        'kind': "case when version_no = 1 then 'user_provisioned' else 'user_moved' end",
        'summary': "coalesce(department, 'no department')",
    },
    {
        'relation': ref('stg_play_log__events'),
        'kind': "'play_' || event_type",
        'summary': "coalesce(trigger || ' ', '') || event_type || coalesce(': ' || reason, '')",
    },
] -%}

with

contact_moves as (

    select * from {{ ref('contact_moves') }}

    where {{ newly_known('known_on') }}

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

unioned as (

    {{ unioned_sources(sources, columns) }}

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

    {{ matched_to_account('window_events', 'account_keys', {'domain': 'email_key'}, 'event_key') }}

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
