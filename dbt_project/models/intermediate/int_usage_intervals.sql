with

usage_rows as (

    select * from {{ ref('stg_product__usage') }}

    where used_on >= {{ add_days(window_start(), 1 - var('activity_days')) }}
        and used_on < {{ window_end() }}
        and known_on < {{ window_end() }}

),

features as (

    select * from {{ ref('stg_product__features') }}

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

user_segments as (

    select * from {{ ref('int_user_segments') }}

),

feature_tiers as (

    select
        feature,
        tier,
        {{ clean_label('module') }} as module,
        known_on as from_on,
        coalesce(
            lead(known_on) over (partition by feature order by known_from, version_no), {{ open_end() }}
        ) as until_on

    from features

    union all

    select
        feature,
        cast(null as string) as tier,
        cast(null as string) as module,
        {{ beginning() }} as from_on,
        min(known_on) as until_on

    from features

    group by feature

),

counted as (

    -- A late row counts from the day it is known.
    select
        *,
        greatest(used_on, known_on) as counted_on,
        least(
            coalesce(replaced_on, {{ open_end() }}),
            {{ add_days('used_on', var('activity_days')) }}
        ) as until_on

    from usage_rows

),

by_account as (

    select
        account_id,
        user_id,
        feature,
        used_on,
        counted_on as from_on,
        until_on,
        replaced_on,
        event_count,
        minutes

    from counted

    where account_id is not null

    union all

    select
        account_keys.account_id,
        counted.user_id,
        counted.feature,
        counted.used_on,
        greatest(counted.counted_on, account_keys.from_on) as from_on,
        least(counted.until_on, account_keys.until_on) as until_on,
        counted.replaced_on,
        counted.event_count,
        counted.minutes

    from counted

    inner join account_keys
        on counted.subscription_id = account_keys.match_key
        and account_keys.key_kind = 'subscription'

    where counted.account_id is null

    union all

    select
        user_segments.account_id,
        counted.user_id,
        counted.feature,
        counted.used_on,
        greatest(counted.counted_on, user_segments.from_on) as from_on,
        least(counted.until_on, user_segments.until_on) as until_on,
        counted.replaced_on,
        counted.event_count,
        counted.minutes

    from counted

    inner join user_segments
        on counted.user_id = user_segments.user_id
        and counted.counted_on < user_segments.until_on
        and counted.until_on > user_segments.from_on

    where counted.account_id is null
        and counted.subscription_id is null
        and user_segments.account_id is not null

),

split_by_user as (

    select
        by_account.account_id,
        by_account.user_id,
        coalesce(user_segments.user_key, by_account.user_id) as user_key,
        by_account.feature,
        by_account.used_on,
        by_account.replaced_on,
        by_account.event_count,
        by_account.minutes,
        coalesce(user_segments.is_employee, true) as is_employee,
        coalesce(user_segments.user_kind, 'employee') as user_kind,
        user_segments.user_kind_rule,
        user_segments.group_kind,
        user_segments.group_key,
        greatest(by_account.from_on, coalesce(user_segments.from_on, by_account.from_on)) as from_on,
        least(by_account.until_on, coalesce(user_segments.until_on, by_account.until_on)) as until_on

    from by_account

    left join user_segments
        on by_account.user_id = user_segments.user_id
        and by_account.from_on < user_segments.until_on
        and by_account.until_on > user_segments.from_on

),

split_by_tier as (

    select
        split_by_user.account_id,
        split_by_user.user_id,
        split_by_user.user_key,
        split_by_user.feature,
        split_by_user.used_on,
        split_by_user.replaced_on,
        split_by_user.event_count,
        cast(split_by_user.minutes as decimal(18, 6)) as minutes,
        split_by_user.is_employee,
        split_by_user.user_kind,
        split_by_user.user_kind_rule,
        split_by_user.group_kind,
        split_by_user.group_key,
        feature_tiers.tier,
        feature_tiers.module,
        greatest(split_by_user.from_on, coalesce(feature_tiers.from_on, split_by_user.from_on)) as from_on,
        least(split_by_user.until_on, coalesce(feature_tiers.until_on, split_by_user.until_on)) as until_on

    from split_by_user

    left join feature_tiers
        on split_by_user.feature = feature_tiers.feature
        and split_by_user.from_on < feature_tiers.until_on
        and split_by_user.until_on > feature_tiers.from_on

)

select * from split_by_tier

-- What ends on the window's first day no longer counts; whether it was withdrawn does.
where from_on < until_on
    and from_on < {{ window_end() }}
    and until_on >= {{ window_start() }}
