with

account_days as (

    select * from {{ ref('int_account_days') }}

),

tickets as (

    select * from {{ ref('stg_support__tickets') }}

    where status in ('open', 'pending')

),

goals as (

    select * from {{ ref('stg_crm__goals') }}

    where status = 'open'

),

invoices as (

    select * from {{ ref('stg_billing__invoices') }}

),

subscription_lines as (

    select * from {{ ref('stg_billing__subscription_lines') }}

    where unit = 'seat'

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

    where key_kind = 'domain'

),

facts as (

    select
        'ticket_department' as fact,
        coalesce(tickets.account_id, account_keys.account_id) as account_id,
        tickets.department as label,
        cast(null as date) as due_on,
        greatest(tickets.known_on, coalesce(account_keys.from_on, tickets.known_on)) as from_on,
        least(
            coalesce(tickets.replaced_on, {{ open_end() }}), coalesce(account_keys.until_on, {{ open_end() }})
        ) as until_on

    from tickets

    left join account_keys
        on tickets.email_key = account_keys.match_key
        and tickets.account_id is null

    union all

    select
        'goal_motion' as fact,
        account_id,
        motion as label,
        cast(null as date) as due_on,
        known_on as from_on,
        coalesce(replaced_on, {{ open_end() }}) as until_on

    from goals

    union all

    select
        'unpaid_invoice' as fact,
        account_id,
        cast(null as string) as label,
        due_on,
        greatest(known_on, due_on) as from_on,
        least(coalesce(replaced_on, {{ open_end() }}), coalesce(paid_on, {{ open_end() }})) as until_on

    from invoices

    union all

    select
        'seat_currency' as fact,
        account_id,
        currency as label,
        cast(null as date) as due_on,
        greatest(known_on, starts_on) as from_on,
        least(coalesce(replaced_on, {{ open_end() }}), coalesce(ends_on, {{ open_end() }})) as until_on

    from subscription_lines

),

window_facts as (

    select * from facts

    where from_on < until_on
        and from_on < {{ window_end() }}
        and until_on > {{ window_start() }}

),

lists as (

    select
        account_days.account_id,
        account_days.as_of_date,
        {{ joined_list(
            "case when window_facts.fact = 'ticket_department' then window_facts.label end"
        ) }} as open_ticket_departments,
        {{ joined_list(
            "case when window_facts.fact = 'goal_motion' then window_facts.label end"
        ) }} as goal_motions,
        {{ joined_list(
            "case when window_facts.fact = 'seat_currency' then window_facts.label end"
        ) }} as seat_currencies,
        min(case when window_facts.fact = 'unpaid_invoice' then window_facts.due_on end) as oldest_due_on

    from account_days

    inner join window_facts
        on account_days.account_id = window_facts.account_id
        and account_days.as_of_date >= window_facts.from_on
        and account_days.as_of_date < window_facts.until_on

    group by account_days.account_id, account_days.as_of_date

)

select * from lists
