with

subscription_lines as (

    select * from {{ ref('stg_billing__subscription_lines') }}

),

department_licences as (

    select * from {{ ref('int_department_licences') }}

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

    where version_no = 1

),

tickets as (

    select * from {{ ref('stg_support__tickets') }}

    where known_on < {{ window_end() }}
        and (
            happened_on > {{ add_days(window_start(), -var('ticket_days')) }}
            or status in ('open', 'pending')
        )

),

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

),

engagement_events as (

    select * from {{ ref('stg_engagement__events') }}

),

growth_events as (

    select * from {{ ref('stg_growth__events') }}

),

intent_topics as (

    select * from {{ ref('stg_growth__intent_topics') }}

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

    where key_kind = 'domain'

),

lines as (

    select
        account_id,
        unit,
        quantity,
        unit_price,
        restricts_departments,
        greatest(starts_on, known_on) as from_on,
        least(coalesce(ends_on, {{ open_end() }}), coalesce(replaced_on, {{ open_end() }})) as until_on

    from subscription_lines

),

line_measures as (

    select account_id, 'seat_lines' as measure, 1 as amount, from_on, until_on
    from lines
    where unit = 'seat' and quantity is not null

    union all

    select account_id, 'contracted_seats' as measure, quantity as amount, from_on, until_on
    from lines
    where unit = 'seat'

    union all

    select account_id, 'priced_seats' as measure, quantity as amount, from_on, until_on
    from lines
    where unit = 'seat' and unit_price is not null

    union all

    select account_id, 'seat_value' as measure, quantity * unit_price as amount, from_on, until_on
    from lines
    where unit = 'seat'

    union all

    select account_id, 'restricting_lines' as measure, 1 as amount, from_on, until_on
    from lines
    where restricts_departments

    union all

    select account_id, 'licensed_departments' as measure, 1 as amount, from_on, until_on
    from department_licences

    union all

    select account_id, 'known_invoices' as measure, 1 as amount, known_on as from_on, {{ open_end() }} as until_on
    from invoices

),

ticket_accounts as (

    select
        coalesce(tickets.account_id, account_keys.account_id) as account_id,
        tickets.ticket_id,
        tickets.status,
        tickets.priority,
        tickets.is_escalated,
        tickets.happened_on,
        greatest(tickets.known_on, coalesce(account_keys.from_on, tickets.known_on)) as from_on,
        least(
            coalesce(tickets.replaced_on, {{ open_end() }}),
            coalesce(account_keys.until_on, {{ open_end() }})
        ) as until_on

    from tickets

    left join account_keys
        on tickets.email_key = account_keys.match_key
        and tickets.account_id is null

    where coalesce(tickets.account_id, account_keys.account_id) is not null

),

recent_tickets as (

    select
        account_id,
        ticket_id,
        greatest(from_on, happened_on) as from_on,
        least(until_on, {{ add_days('happened_on', var('ticket_days')) }}) as until_on

    from ticket_accounts

),

distinct_tickets as (

    {{ merged_intervals('recent_tickets', ['account_id', 'ticket_id']) }}

),

open_tickets as (

    select * from ticket_accounts

    where status in ('open', 'pending')

),

ticket_measures as (

    select account_id, 'tickets' as measure, 1 as amount, from_on, until_on from distinct_tickets

    union all

    select account_id, 'open_tickets' as measure, 1 as amount, from_on, until_on from open_tickets

    union all

    select account_id, 'open_high_tickets' as measure, 1 as amount, from_on, until_on
    from open_tickets
    where priority in ('high', 'urgent')

    union all

    select account_id, 'open_escalations' as measure, 1 as amount, from_on, until_on
    from open_tickets
    where is_escalated

),

contact_versions as (

    select
        account_id,
        status,
        deal_role,
        case
            when has_consent or lawful_basis is not null then true
            when not has_consent then false
        end as has_basis,
        known_on as from_on,
        coalesce(replaced_on, {{ open_end() }}) as until_on

    from contacts

),

contact_measures as (

    select account_id, 'champions' as measure, 1 as amount, from_on, until_on
    from contact_versions
    where status = 'active' and deal_role = 'champion'

    union all

    select account_id, 'consented_contacts' as measure, 1 as amount, from_on, until_on
    from contact_versions
    where status = 'active' and has_basis

    union all

    select account_id, 'refused_contacts' as measure, 1 as amount, from_on, until_on
    from contact_versions
    where status = 'active' and not has_basis

),

engagement_measures as (

    select
        account_id,
        case kind when 'executive_meeting' then 'executive_meetings' else 'value_milestones' end as measure,
        1 as amount,
        greatest(happened_on, known_on) as from_on,
        least(
            {{ add_days('happened_on', var('engagement_days')) }}, coalesce(replaced_on, {{ open_end() }})
        ) as until_on

    from engagement_events

    where kind in ('executive_meeting', 'value_milestone', 'outcome_evidence')
        and happened_on > {{ add_days(window_start(), -var('engagement_days')) }}

),

growth_measures as (

    select
        account_keys.account_id,
        'growth_events' as measure,
        1 as amount,
        greatest(growth_events.happened_on, growth_events.known_on, account_keys.from_on) as from_on,
        least(
            {{ add_days('growth_events.happened_on', var('growth_event_days')) }},
            coalesce(growth_events.replaced_on, {{ open_end() }}),
            account_keys.until_on
        ) as until_on

    from growth_events

    inner join account_keys on growth_events.account_domain = account_keys.match_key

    where growth_events.kind in ('funding', 'new_location')
        and growth_events.happened_on > {{ add_days(window_start(), -var('growth_event_days')) }}

),

observed_topics as (

    select
        account_keys.account_id,
        intent_topics.topic,
        greatest(intent_topics.observed_on, intent_topics.known_on, account_keys.from_on) as from_on,
        least(
            {{ add_days('intent_topics.observed_on', var('intent_days')) }},
            coalesce(intent_topics.replaced_on, {{ open_end() }}),
            account_keys.until_on
        ) as until_on

    from intent_topics

    inner join account_keys on intent_topics.account_domain = account_keys.match_key

    where intent_topics.observed_on > {{ add_days(window_start(), -var('intent_days')) }}

),

distinct_topics as (

    {{ merged_intervals('observed_topics', ['account_id', 'topic']) }}

),

measure_intervals as (

    select account_id, measure, amount, from_on, until_on from line_measures

    union all

    select account_id, measure, amount, from_on, until_on from ticket_measures

    union all

    select account_id, measure, amount, from_on, until_on from contact_measures

    union all

    select account_id, measure, amount, from_on, until_on from engagement_measures

    union all

    select account_id, measure, amount, from_on, until_on from growth_measures

    union all

    select account_id, 'intent_topics' as measure, 1 as amount, from_on, until_on from distinct_topics

)

select
    account_id,
    measure,
    cast(amount as decimal(28, 6)) as amount,
    from_on,
    until_on

from measure_intervals

where amount is not null
    and from_on < until_on
    and from_on < {{ window_end() }}
    and until_on > {{ window_start() }}
