with

excluded_usage as (

    select * from {{ ref('int_usage_intervals') }}

    where not is_employee
        and user_id is not null

),

window_days as (

    select * from {{ ref('int_window_days') }}

),

excluded_people as (

    {{ merged_intervals('excluded_usage', ['account_id', 'user_kind', 'user_kind_rule', 'user_key']) }}

),

measure_intervals as (

    select account_id, user_kind, user_kind_rule, 'users' as measure, 1 as amount, from_on, until_on
    from excluded_people

),

rule_days as (

    select
        rules.account_id,
        rules.user_kind,
        rules.user_kind_rule,
        window_days.as_of_date

    from (select distinct account_id, user_kind, user_kind_rule from excluded_people) as rules

    cross join window_days

),

measures as (

    {{ daily_sums(
        'measure_intervals', 'rule_days', ['account_id', 'user_kind', 'user_kind_rule'], ['users']
    ) }}

)

select
    account_id,
    as_of_date,
    user_kind,
    user_kind_rule,
    cast(users as bigint) as users_28d

from measures

where users > 0
