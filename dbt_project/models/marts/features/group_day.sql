with

account_days as (

    select * from {{ ref('int_account_days') }}

),

account_sources as (

    select * from {{ ref('int_account_sources') }}

),

account_measures as (

    select * from {{ ref('int_account_measures') }}

),

group_measures as (

    select * from {{ ref('int_group_measures') }}

),

scope as (

    select * from {{ ref('int_group_scope') }}

),

{% if is_incremental() -%}
frozen_groups as (

    select distinct
        account_id,
        group_kind,
        group_key

    from {{ this }}

    where as_of_date = {{ add_days(window_start(), -1) }}

),

{% endif -%}
first_days as (

    select
        group_measures.account_id,
        group_measures.group_kind,
        group_measures.group_key,
        min(group_measures.as_of_date) as from_on

    from group_measures

    inner join account_days
        on group_measures.account_id = account_days.account_id
        and group_measures.as_of_date = account_days.as_of_date

    where group_measures.active_users > 0

    group by group_measures.account_id, group_measures.group_kind, group_measures.group_key

    {% if is_incremental() -%}
    union all

    -- A group once seen keeps its row, also when nobody of it is active any more.
    select account_id, group_kind, group_key, {{ window_start() }} as from_on
    from frozen_groups
    {%- endif %}

),

groups as (

    select
        account_id,
        group_kind,
        group_key,
        min(from_on) as from_on

    from first_days

    group by account_id, group_kind, group_key

),

group_days as (

    select
        ---------- ids
        groups.account_id,
        groups.group_kind,
        groups.group_key,
        account_days.as_of_date,

        ---------- account
        account_days.segment,

        ---------- users
        cast(coalesce(group_measures.regular_users, 0) as bigint) as users_2of14,
        cast(coalesce(group_measures.withdrawn_users, 0) as bigint) as withdrawn_users_2of14,
        cast(coalesce(group_measures.active_users, 0) as bigint) as active_users_28d,
        cast(coalesce(group_measures.users_from_scope, 0) as bigint) as users_from_licensed,

        ---------- scope
        scope.account_id is not null as is_in_scope,
        case when account_measures.licensed_departments > 0 then 'licensed' else 'first_days' end as scope_source,
        account_measures.restricting_lines > 0 as restricts_departments,

        -- A licence that names departments says nothing of roles.
        account_sources.watchable_product
            and account_sources.watchable_billing
            and (account_sources.watchable_identity or groups.group_kind <> 'department')
            and not (groups.group_kind = 'role' and account_measures.licensed_departments > 0) as is_watchable

    from groups

    inner join account_days
        on groups.account_id = account_days.account_id
        and account_days.as_of_date >= groups.from_on

    inner join account_sources
        on account_days.account_id = account_sources.account_id
        and account_days.as_of_date = account_sources.as_of_date

    inner join account_measures
        on account_days.account_id = account_measures.account_id
        and account_days.as_of_date = account_measures.as_of_date

    left join group_measures
        on groups.account_id = group_measures.account_id
        and groups.group_kind = group_measures.group_kind
        and groups.group_key = group_measures.group_key
        and account_days.as_of_date = group_measures.as_of_date

    left join scope
        on groups.account_id = scope.account_id
        and groups.group_kind = scope.group_kind
        and groups.group_key = scope.group_key
        and account_days.as_of_date >= scope.from_on
        and account_days.as_of_date < scope.until_on

)

select * from group_days
