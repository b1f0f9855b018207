with

window_days as (

    select * from {{ ref('int_window_days') }}

),

usage_intervals as (

    select * from {{ ref('int_usage_intervals') }}

    where is_employee
        and user_id is not null

),

active_days as (

    {{ merged_intervals('usage_intervals', ['account_id', 'user_key', 'used_on']) }}

),

changes as (

    select account_id, user_key, greatest(from_on, {{ window_start() }}) as from_on, 1 as days, 0 as events, 0 as minutes
    from active_days

    union all

    select account_id, user_key, until_on as from_on, -1 as days, 0 as events, 0 as minutes
    from active_days

    union all

    select
        account_id,
        user_key,
        greatest(from_on, {{ window_start() }}) as from_on,
        0 as days,
        event_count as events,
        coalesce(minutes, 0) as minutes
    from usage_intervals

    union all

    select account_id, user_key, until_on as from_on, 0 as days, -event_count as events, -coalesce(minutes, 0) as minutes
    from usage_intervals

),

daily_changes as (

    select
        account_id,
        user_key,
        from_on,
        sum(days) as days,
        sum(events) as events,
        sum(minutes) as minutes

    from changes

    group by account_id, user_key, from_on

),

levels as (

    select
        account_id,
        user_key,
        from_on,
        coalesce(
            lead(from_on) over (partition by account_id, user_key order by from_on), {{ open_end() }}
        ) as until_on,
        sum(days) over (
            partition by account_id, user_key order by from_on rows between unbounded preceding and current row
        ) as days,
        sum(events) over (
            partition by account_id, user_key order by from_on rows between unbounded preceding and current row
        ) as events,
        sum(minutes) over (
            partition by account_id, user_key order by from_on rows between unbounded preceding and current row
        ) as minutes

    from daily_changes

),

user_days as (

    select
        levels.account_id,
        levels.user_key,
        window_days.as_of_date,
        levels.days,
        levels.minutes,
        rank() over (
            partition by levels.account_id, window_days.as_of_date order by levels.events desc nulls last
        ) as activity_rank,
        count(*) over (partition by levels.account_id, window_days.as_of_date) as users

    from window_days

    inner join levels
        on window_days.as_of_date >= levels.from_on
        and window_days.as_of_date < levels.until_on

    where levels.days > 0

),

power_users as (

    select
        account_id,
        as_of_date,
        count(*) as power_users

    from user_days

    where (
            days >= {{ var('power_user_days') }}
            and activity_rank <= ceil({{ var('power_user_share') }} * users)
        )
        or (
            days >= {{ var('power_user_min_days') }}
            and minutes >= {{ var('power_user_minutes') }} * days
        )

    group by account_id, as_of_date

)

select * from power_users
