with

account_days as (

    select * from {{ ref('int_account_days') }}

),

calendar as (

    select * from {{ source('control', 'calendar') }}

),

department_licences as (

    select * from {{ ref('int_department_licences') }}

),

usage_intervals as (

    select * from {{ ref('int_usage_intervals') }}

),

usage_arrivals as (

    select
        greatest(used_on, known_on) as counted_on,
        max(used_on) as newest_used_on

    from {{ ref('stg_product__usage') }}

    where used_on >= {{ add_days(window_start(), 1 - var('activity_days')) }}
        and used_on < {{ window_end() }}
        and known_on < {{ window_end() }}

    group by counted_on

),

newest_usage as (

    select
        account_days.as_of_date,
        max(usage_arrivals.newest_used_on) as newest_used_on

    from (select distinct as_of_date from account_days) as account_days

    inner join usage_arrivals
        on usage_arrivals.counted_on <= account_days.as_of_date
        and usage_arrivals.counted_on > {{ add_days('account_days.as_of_date', -var('activity_days')) }}

    group by account_days.as_of_date

),

last_business_days as (

    -- Counted back from the newest day of use that is known at all: a feed that lands the next morning must not leave
    -- today empty for everybody.
    select
        account_days.account_id,
        account_days.as_of_date,
        calendar.country,
        newest_usage.newest_used_on,
        calendar.business_day_no

    from account_days

    inner join newest_usage on account_days.as_of_date = newest_usage.as_of_date

    inner join calendar
        on coalesce(account_days.country, 'ZZ') = calendar.country
        and newest_usage.newest_used_on = calendar.day

),

core_user_days as (

    select distinct
        usage_intervals.account_id,
        usage_intervals.user_key,
        usage_intervals.group_key as department,
        usage_intervals.used_on,
        usage_intervals.from_on,
        usage_intervals.until_on

    from usage_intervals

    where usage_intervals.is_employee
        and usage_intervals.user_id is not null
        and usage_intervals.group_kind = 'department'
        and usage_intervals.tier = 'core'

),

users_per_business_day as (

    select
        last_business_days.account_id,
        last_business_days.as_of_date,
        core_user_days.department,
        core_user_days.used_on,
        count(distinct core_user_days.user_key) as users

    from core_user_days

    inner join last_business_days
        on core_user_days.account_id = last_business_days.account_id
        and last_business_days.as_of_date >= core_user_days.from_on
        and last_business_days.as_of_date < core_user_days.until_on

    inner join calendar
        on last_business_days.country = calendar.country
        and core_user_days.used_on = calendar.day

    where calendar.is_business_day
        and calendar.business_day_no > last_business_days.business_day_no - {{ var('saturation_business_days') }}
        and calendar.business_day_no <= last_business_days.business_day_no

    group by
        last_business_days.account_id,
        last_business_days.as_of_date,
        core_user_days.department,
        core_user_days.used_on

),

department_days as (

    select
        account_id,
        as_of_date,
        department,
        case when count(*) = {{ var('saturation_business_days') }} then min(users) else 0 end as least_users

    from users_per_business_day

    group by account_id, as_of_date, department

),

saturation as (

    select
        last_business_days.account_id,
        last_business_days.as_of_date,
        count(*) as licensed_departments,
        sum(
            case when department_days.least_users >= {{ var('saturation_users') }} then 1 else 0 end
        ) as saturated_departments,
        min(coalesce(department_days.least_users, 0)) as saturated_core_users_min

    from last_business_days

    inner join department_licences
        on last_business_days.account_id = department_licences.account_id
        and last_business_days.as_of_date >= department_licences.from_on
        and last_business_days.as_of_date < department_licences.until_on

    left join department_days
        on last_business_days.account_id = department_days.account_id
        and last_business_days.as_of_date = department_days.as_of_date
        and department_licences.department = department_days.department

    group by last_business_days.account_id, last_business_days.as_of_date

)

select * from saturation
