with

account_days as (

    select * from {{ ref('int_account_days') }}

),

department_licences as (

    select * from {{ ref('int_department_licences') }}

),

account_measures as (

    select * from {{ ref('int_account_measures') }}

),

group_first_days as (

    select * from {{ ref('int_group_first_days') }}

),

account_first_use as (

    select
        account_days.account_id,
        account_days.as_of_date,
        greatest(
            min(group_first_days.first_used_on),
            coalesce(min(account_days.first_paid_on), min(group_first_days.first_used_on))
        ) as starts_on

    from account_days

    inner join group_first_days
        on account_days.account_id = group_first_days.account_id
        and account_days.as_of_date >= group_first_days.from_on

    group by account_days.account_id, account_days.as_of_date

),

scope_days as (

    select
        account_days.account_id,
        'department' as group_kind,
        department_licences.department as group_key,
        'licensed' as scope_source,
        account_days.as_of_date as from_on,
        {{ add_days('account_days.as_of_date', 1) }} as until_on

    from account_days

    inner join department_licences
        on account_days.account_id = department_licences.account_id
        and account_days.as_of_date >= department_licences.from_on
        and account_days.as_of_date < department_licences.until_on

    union all

    select
        account_first_use.account_id,
        group_first_days.group_kind,
        group_first_days.group_key,
        'first_days' as scope_source,
        account_first_use.as_of_date as from_on,
        {{ add_days('account_first_use.as_of_date', 1) }} as until_on

    from account_first_use

    inner join account_measures
        on account_first_use.account_id = account_measures.account_id
        and account_first_use.as_of_date = account_measures.as_of_date

    inner join group_first_days
        on account_first_use.account_id = group_first_days.account_id
        and account_first_use.as_of_date >= group_first_days.from_on

    where account_measures.licensed_departments = 0
        and group_first_days.first_used_on < {{ add_days('account_first_use.starts_on', var('scope_days')) }}

),

scope as (

    {{ merged_intervals('scope_days', ['account_id', 'group_kind', 'group_key', 'scope_source']) }}

)

select * from scope
