-- A user is in one group at a time: the groups of an account cannot hold more users than the account.
with

groups as (

    select
        account_id,
        as_of_date,
        sum(active_users_28d) as group_users

    from {{ ref('group_day') }}

    where {{ in_run_window('as_of_date') }}

    group by account_id, as_of_date

)

select
    groups.account_id,
    groups.as_of_date,
    groups.group_users,
    account_day.active_users_28d

from groups

inner join {{ ref('account_day') }} as account_day
    on groups.account_id = account_day.account_id
    and groups.as_of_date = account_day.as_of_date

where groups.group_users > account_day.active_users_28d
