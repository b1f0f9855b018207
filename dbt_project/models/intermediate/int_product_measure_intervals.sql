with

usage_intervals as (

    select * from {{ ref('int_usage_intervals') }}

),

seat_assignments as (

    select * from {{ ref('stg_product__seat_assignments') }}

    where known_on < {{ window_end() }}
        and coalesce(replaced_on, {{ open_end() }}) > {{ window_start() }}

),

module_lines as (

    select
        account_id,
        {{ clean_label('module') }} as module,
        known_on,
        greatest(starts_on, known_on) as from_on,
        least(coalesce(ends_on, {{ open_end() }}), coalesce(replaced_on, {{ open_end() }})) as until_on

    from {{ ref('stg_billing__subscription_lines') }}

    where {{ clean_label('module') }} is not null
        and known_on < {{ window_end() }}

),

employee_usage as (

    select * from usage_intervals

    where is_employee

),

usage_totals as (

    select
        account_id,
        from_on,
        until_on,
        sum(minutes) as minutes,
        sum(event_count) as event_count

    from employee_usage

    group by account_id, from_on, until_on

),

named_employee_usage as (

    select * from employee_usage

    where user_id is not null

),

excluded_usage as (

    select * from usage_intervals

    where not is_employee
        and user_id is not null

),

advanced_usage as (

    select * from employee_usage

    where tier = 'advanced'

),

assignments as (

    select
        account_id,
        user_id,
        greatest(assigned_on, known_on) as from_on,
        least(coalesce(released_on, {{ open_end() }}), coalesce(replaced_on, {{ open_end() }})) as until_on

    from seat_assignments

),

active_people as (

    {{ merged_intervals('named_employee_usage', ['account_id', 'user_key']) }}

),

active_users as (

    -- Seats are held by users: two users of one person hold two.
    {{ merged_intervals('named_employee_usage', ['account_id', 'user_id']) }}

),

withdrawn_people as (

    -- People who count until the day on which use of theirs is withdrawn, and not from then on.
    select distinct
        active_people.account_id,
        active_people.user_key,
        active_people.until_on

    from active_people

    inner join named_employee_usage
        on active_people.account_id = named_employee_usage.account_id
        and active_people.user_key = named_employee_usage.user_key
        and active_people.until_on = named_employee_usage.until_on
        and active_people.until_on = named_employee_usage.replaced_on

),

excluded_people as (

    {{ merged_intervals('excluded_usage', ['account_id', 'user_key']) }}

),

advanced_features as (

    {{ merged_intervals('advanced_usage', ['account_id', 'feature']) }}

),

assigned_users as (

    {{ merged_intervals('assignments', ['account_id', 'user_id']) }}

),

active_assigned_users as (

    select
        active_users.account_id,
        greatest(active_users.from_on, assigned_users.from_on) as from_on,
        least(active_users.until_on, assigned_users.until_on) as until_on

    from active_users

    inner join assigned_users
        on active_users.account_id = assigned_users.account_id
        and active_users.user_id = assigned_users.user_id
        and active_users.from_on < assigned_users.until_on
        and active_users.until_on > assigned_users.from_on

),

contracted_modules as (

    {{ merged_intervals('module_lines', ['account_id', 'module']) }}

),

-- A module is sold apart once any account has a line of it; what nobody buys apart comes with the plan.
modules_sold_apart as (

    select module, min(known_on) as from_on from module_lines group by module

),

module_usage as (

    select
        account_id,
        module,
        from_on,
        until_on,
        sum(event_count) as event_count

    from employee_usage

    where module is not null

    group by account_id, module, from_on, until_on

),

apart_usage as (

    select
        module_usage.account_id,
        module_usage.module,
        module_usage.event_count,
        greatest(module_usage.from_on, modules_sold_apart.from_on) as from_on,
        module_usage.until_on

    from module_usage

    inner join modules_sold_apart on module_usage.module = modules_sold_apart.module

),

contracted_usage as (

    select
        apart_usage.account_id,
        apart_usage.event_count,
        greatest(apart_usage.from_on, contracted_modules.from_on) as from_on,
        least(apart_usage.until_on, contracted_modules.until_on) as until_on

    from apart_usage

    inner join contracted_modules
        on apart_usage.account_id = contracted_modules.account_id
        and apart_usage.module = contracted_modules.module

),

measure_intervals as (

    select account_id, 'active_users' as measure, 1 as amount, from_on, until_on from active_people

    union all

    select
        account_id,
        'withdrawn_users' as measure,
        1 as amount,
        until_on as from_on,
        {{ add_days('until_on', 1) }} as until_on
    from withdrawn_people

    union all

    select account_id, 'excluded_users' as measure, 1 as amount, from_on, until_on from excluded_people

    union all

    select account_id, 'advanced_features' as measure, 1 as amount, from_on, until_on from advanced_features

    union all

    select account_id, 'assigned_seats' as measure, 1 as amount, from_on, until_on from assigned_users

    union all

    select account_id, 'active_assigned_users' as measure, 1 as amount, from_on, until_on from active_assigned_users

    union all

    select account_id, 'usage_minutes' as measure, minutes as amount, from_on, until_on from usage_totals

    union all

    select account_id, 'usage_events' as measure, event_count as amount, from_on, until_on from usage_totals

    union all

    select account_id, 'module_uses' as measure, event_count as amount, from_on, until_on from module_usage

    union all

    select account_id, 'uncontracted_uses' as measure, event_count as amount, from_on, until_on from apart_usage

    union all

    select account_id, 'uncontracted_uses' as measure, -event_count as amount, from_on, until_on from contracted_usage

)

select
    account_id,
    measure,
    -- Exact, so that a running sum over a year ends where a run of one day does.
    cast(amount as decimal(28, 6)) as amount,
    from_on,
    until_on

from measure_intervals

where from_on < until_on
    and amount is not null
