with

usage_intervals as (

    select * from {{ ref('int_usage_intervals') }}

    where is_employee
        and user_id is not null
        and group_kind is not null

),

user_segments as (

    select * from {{ ref('int_user_segments') }}

),

scope as (

    select * from {{ ref('int_group_scope') }}

),

window_days as (

    select * from {{ ref('int_window_days') }}

),

active_users as (

    {{ merged_intervals('usage_intervals', ['account_id', 'group_kind', 'group_key', 'user_key']) }}

),

recent_usage as (

    select
        account_id,
        group_kind,
        group_key,
        user_key,
        used_on,
        replaced_on,
        from_on,
        least(until_on, {{ add_days('used_on', var('group_days')) }}) as until_on

    from usage_intervals

),

active_days as (

    {{ merged_intervals('recent_usage', ['account_id', 'group_kind', 'group_key', 'user_key', 'used_on']) }}

),

day_changes as (

    select account_id, group_kind, group_key, user_key, from_on, 1 as days from active_days

    union all

    select account_id, group_kind, group_key, user_key, until_on as from_on, -1 as days from active_days

),

daily_day_changes as (

    select
        account_id,
        group_kind,
        group_key,
        user_key,
        from_on,
        sum(days) as days

    from day_changes

    group by account_id, group_kind, group_key, user_key, from_on

),

day_levels as (

    select
        account_id,
        group_kind,
        group_key,
        user_key,
        from_on,
        coalesce(
            lead(from_on) over (partition by account_id, group_kind, group_key, user_key order by from_on),
            {{ open_end() }}
        ) as until_on,
        sum(days) over (
            partition by account_id, group_kind, group_key, user_key order by from_on
            rows between unbounded preceding and current row
        ) as days

    from daily_day_changes

),

regular_users as (

    select * from day_levels

    where days >= {{ var('group_min_days') }}

),

regular_spells as (

    {{ merged_intervals('regular_users', ['account_id', 'group_kind', 'group_key', 'user_key']) }}

),

withdrawn_users as (

    -- Regular until the day on which use of theirs is withdrawn, and not from then on.
    select distinct
        regular_spells.account_id,
        regular_spells.group_kind,
        regular_spells.group_key,
        regular_spells.user_key,
        regular_spells.until_on

    from regular_spells

    inner join recent_usage
        on regular_spells.account_id = recent_usage.account_id
        and regular_spells.group_kind = recent_usage.group_kind
        and regular_spells.group_key = recent_usage.group_key
        and regular_spells.user_key = recent_usage.user_key
        and regular_spells.until_on = recent_usage.until_on
        and regular_spells.until_on = recent_usage.replaced_on

),

department_moves as (

    -- Departments a user was in before the present one.
    select distinct
        later.user_key,
        later.group_kind,
        later.group_key,
        later.from_on,
        later.until_on,
        earlier.group_key as earlier_department

    from user_segments as later

    inner join user_segments as earlier
        on later.user_id = earlier.user_id
        and earlier.from_on < later.from_on

    where earlier.group_kind = 'department'
        and later.group_kind is not null
        and not (later.group_kind = 'department' and later.group_key = earlier.group_key)

),

regular_users_from_scope as (

    select
        regular_users.account_id,
        regular_users.group_kind,
        regular_users.group_key,
        regular_users.user_key,
        greatest(regular_users.from_on, department_moves.from_on, scope.from_on) as from_on,
        least(regular_users.until_on, department_moves.until_on, scope.until_on) as until_on

    from regular_users

    inner join department_moves
        on regular_users.user_key = department_moves.user_key
        and regular_users.group_kind = department_moves.group_kind
        and regular_users.group_key = department_moves.group_key
        and regular_users.from_on < department_moves.until_on
        and regular_users.until_on > department_moves.from_on

    inner join scope
        on regular_users.account_id = scope.account_id
        and department_moves.earlier_department = scope.group_key
        and scope.group_kind = 'department'
        and regular_users.from_on < scope.until_on
        and regular_users.until_on > scope.from_on

),

address_moves as (

    -- Users of another domain who had been in the product with an address of the account's own, and in no department:
    -- a company that is bought gives its people new addresses.
    select distinct
        later.user_key,
        later.group_key,
        later.from_on,
        later.until_on

    from user_segments as later

    inner join user_segments as earlier
        on later.user_id = earlier.user_id
        and earlier.from_on < later.from_on

    where earlier.group_kind = 'role'
        and earlier.person_key is not null
        and later.group_kind = 'domain'

),

regular_users_moved as (

    select * from regular_users_from_scope

    union all

    select
        regular_users.account_id,
        regular_users.group_kind,
        regular_users.group_key,
        regular_users.user_key,
        greatest(regular_users.from_on, address_moves.from_on) as from_on,
        least(regular_users.until_on, address_moves.until_on) as until_on

    from regular_users

    inner join address_moves
        on regular_users.user_key = address_moves.user_key
        and regular_users.group_key = address_moves.group_key
        and regular_users.from_on < address_moves.until_on
        and regular_users.until_on > address_moves.from_on

    where regular_users.group_kind = 'domain'

),

users_from_scope as (

    {{ merged_intervals('regular_users_moved', ['account_id', 'group_kind', 'group_key', 'user_key']) }}

),

measure_intervals as (

    select account_id, group_kind, group_key, 'active_users' as measure, 1 as amount, from_on, until_on
    from active_users

    union all

    select account_id, group_kind, group_key, 'regular_users' as measure, 1 as amount, from_on, until_on
    from regular_users

    union all

    select
        account_id,
        group_kind,
        group_key,
        'withdrawn_users' as measure,
        1 as amount,
        until_on as from_on,
        {{ add_days('until_on', 1) }} as until_on
    from withdrawn_users

    union all

    select account_id, group_kind, group_key, 'users_from_scope' as measure, 1 as amount, from_on, until_on
    from users_from_scope

),

group_days as (

    select
        groups.account_id,
        groups.group_kind,
        groups.group_key,
        window_days.as_of_date

    from (select distinct account_id, group_kind, group_key from active_users) as groups

    cross join window_days

),

measures as (

    {{ daily_sums(
        'measure_intervals',
        'group_days',
        ['account_id', 'group_kind', 'group_key'],
        ['active_users', 'regular_users', 'withdrawn_users', 'users_from_scope'],
    ) }}

)

select * from measures
