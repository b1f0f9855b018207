with

first_uses as (

    select * from {{ ref('int_users_first_used') }}

    where counted_on < {{ window_end() }}

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

user_segments as (

    select * from {{ ref('int_user_segments') }}

),

first_departments as (

    select
        user_id,
        group_key,
        from_on

    from (

        select
            user_id,
            group_key,
            from_on,
            row_number() over (partition by user_id order by from_on) as department_rank

        from user_segments

        where group_kind = 'department'

    ) as ranked

    where department_rank = 1

),

original_groups as (

    -- The team a user started in: the first department ever known, and until one is known the e-mail domain or role.
    -- Moves of the first users do not widen the scope.
    select
        user_segments.user_id,
        user_segments.account_id,
        user_segments.is_employee,
        user_segments.from_on,
        user_segments.until_on,
        case when first_departments.user_id is null then user_segments.group_kind else 'department' end as group_kind,
        coalesce(first_departments.group_key, user_segments.group_key) as group_key

    from user_segments

    left join first_departments
        on user_segments.user_id = first_departments.user_id
        and user_segments.from_on >= first_departments.from_on

),

by_account as (

    select account_id, user_id, first_used_on, counted_on as from_on
    from first_uses
    where account_id <> ''

    union all

    select
        account_keys.account_id,
        first_uses.user_id,
        first_uses.first_used_on,
        greatest(first_uses.counted_on, account_keys.from_on) as from_on

    from first_uses

    inner join account_keys
        on first_uses.subscription_id = account_keys.match_key
        and account_keys.key_kind = 'subscription'
        and first_uses.counted_on < account_keys.until_on

    where first_uses.account_id = ''

    union all

    select
        user_segments.account_id,
        first_uses.user_id,
        first_uses.first_used_on,
        greatest(first_uses.counted_on, user_segments.from_on) as from_on

    from first_uses

    inner join user_segments
        on first_uses.user_id = user_segments.user_id
        and first_uses.counted_on < user_segments.until_on

    where first_uses.account_id = ''
        and first_uses.subscription_id = ''
        and user_segments.account_id is not null

),

by_group as (

    select
        by_account.account_id,
        original_groups.group_kind,
        original_groups.group_key,
        greatest(by_account.from_on, original_groups.from_on) as from_on,
        min(by_account.first_used_on) as first_used_on

    from by_account

    inner join original_groups
        on by_account.user_id = original_groups.user_id
        and by_account.from_on < original_groups.until_on

    where original_groups.is_employee
        and original_groups.group_kind is not null

    group by
        by_account.account_id,
        original_groups.group_kind,
        original_groups.group_key,
        greatest(by_account.from_on, original_groups.from_on)

),

compared as (

    select
        *,
        min(first_used_on) over (
            partition by account_id, group_kind, group_key order by from_on
            rows between unbounded preceding and 1 preceding
        ) as earlier_used_on

    from by_group

)

-- One row whenever the first day of a group moves back.
select
    account_id,
    group_kind,
    group_key,
    from_on,
    first_used_on

from compared

where earlier_used_on is null
    or first_used_on < earlier_used_on
