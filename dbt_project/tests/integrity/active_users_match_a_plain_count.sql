-- On the last day of the window the interval method must give what counting user by user gives.
with

last_day as (

    select max(as_of_date) as as_of_date from {{ ref('int_window_days') }}

),

plain_count as (

    select
        usage_intervals.account_id,
        count(distinct usage_intervals.user_key) as active_users

    from {{ ref('int_usage_intervals') }} as usage_intervals

    inner join last_day
        on usage_intervals.from_on <= last_day.as_of_date
        and usage_intervals.until_on > last_day.as_of_date

    where usage_intervals.is_employee
        and usage_intervals.user_id is not null

    group by usage_intervals.account_id

)

select
    account_day.account_id,
    account_day.active_users_28d,
    plain_count.active_users

from {{ ref('account_day') }} as account_day

inner join last_day on account_day.as_of_date = last_day.as_of_date

left join plain_count on account_day.account_id = plain_count.account_id

where account_day.watchable_product
    and account_day.active_users_28d <> coalesce(plain_count.active_users, 0)
