{%- set event_tables = {
    'engagement_events': ('stg_engagement__events', 'account'),
    'growth_events': ('stg_growth__events', 'domain'),
    'feedback_references': ('stg_feedback__references', 'account'),
    'product_limit_events': ('stg_product__limit_events', 'account'),
    'product_workflow_events': ('stg_product__workflow_events', 'account'),
} -%}

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

intent_topics as (

    select * from {{ ref('stg_growth__intent_topics') }}

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

    where key_kind = 'domain'

),

account_versions as (

    select * from {{ ref('int_account_versions') }}

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

-- A contact of the account's first delivery was there before anybody looked: only later ones are new.
contact_arrivals as (

    select
        account_id,
        contact_id,
        known_on as arrived_on,
        happened_on,
        min(known_on) over (partition by account_id) as first_delivery_on

    from contacts

    where version_no = 1

),

new_stakeholders as (

    select
        contacts.account_id,
        contacts.known_on as from_on,
        least(
            {{ add_days('contact_arrivals.happened_on', var('engagement_days')) }},
            coalesce(contacts.replaced_on, {{ open_end() }})
        ) as until_on

    from contacts

    inner join contact_arrivals
        on contacts.account_id = contact_arrivals.account_id
        and contacts.contact_id = contact_arrivals.contact_id
        and contact_arrivals.arrived_on > contact_arrivals.first_delivery_on

    where contacts.status = 'active'
        and contacts.title_rank >= {{ var('stakeholder_min_rank') }}

),

{% for table, (model, way) in event_tables.items() -%}
{%- set ours = counted_events() | selectattr('table', 'equalto', table) | list -%}
{{ table }} as (

    select
        events.kind,
        {{ 'events.quantity,' if ours | selectattr('amount', 'defined') | list }}
        {{ 'events.job_function,' if table == 'growth_events' }}
        events.happened_on,
        {% if way == 'domain' -%}
        account_keys.account_id,
        greatest(events.happened_on, events.known_on, account_keys.from_on) as from_on,
        least(coalesce(events.replaced_on, {{ open_end() }}), account_keys.until_on) as until_on
        {%- else -%}
        events.account_id,
        greatest(events.happened_on, events.known_on) as from_on,
        coalesce(events.replaced_on, {{ open_end() }}) as until_on
        {%- endif %}

    from {{ ref(model) }} as events

    {{ 'inner join account_keys on events.account_domain = account_keys.match_key' if way == 'domain' }}

    where events.happened_on > {{ add_days(window_start(), -(ours | map(attribute='days') | max)) }}
        and events.known_on < {{ window_end() }}

),

{% endfor -%}
event_measures as (

    {% for event in counted_events() -%}
    select
        account_id,
        '{{ event.column }}' as measure,
        {{ 'coalesce(' ~ event.amount ~ ', 0)' if event.amount else 1 }} as amount,
        from_on,
        least(until_on, {{ add_days('happened_on', event.days) }}) as until_on
    from {{ event.table }}
    where kind in ('{{ event.kinds | join("', '") }}')

    {{ 'union all' if not loop.last }}

    {% endfor %}

),

function_job_posts as (

    select
        growth_events.account_id,
        greatest(growth_events.from_on, account_versions.from_on) as from_on,
        least(
            growth_events.until_on,
            account_versions.until_on,
            {{ add_days('growth_events.happened_on', var('growth_event_days')) }}
        ) as until_on

    from growth_events

    inner join account_versions
        on growth_events.account_id = account_versions.account_id
        and growth_events.job_function = account_versions.function_key

    where growth_events.kind = 'job_post'

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

    select account_id, measure, amount, from_on, until_on from event_measures

    union all

    select account_id, 'function_job_posts_90d' as measure, 1 as amount, from_on, until_on from function_job_posts

    union all

    select account_id, 'new_stakeholders_90d' as measure, 1 as amount, from_on, until_on from new_stakeholders

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
