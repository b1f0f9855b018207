{{ config(materialized='view') }}

with

match_rows as (

    select * from {{ ref('int_match_rows') }}

),

overrides as (

    select * from {{ ref('stg_identity__overrides') }}

    where account_id is null

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

accounts as (

    select distinct account_id from {{ ref('int_account_versions') }}

),

user_segments as (

    select * from {{ ref('int_user_segments') }}

    where account_id is not null

),

last_day as (

    select {{ add_days(window_end(), -1) }} as as_of_date

),

unmatched as (

    select
        last_day.as_of_date,
        match_rows.source_table,
        match_rows.key_kind,
        match_rows.match_key,
        case
            when match_rows.match_key is null
                then coalesce(nullif(match_rows.key_status, 'company'), 'no_key')
            when overrides.match_key is not null then 'forbidden'
            when match_rows.key_kind = 'account' then 'unknown_id'
            else 'unknown_' || match_rows.key_kind
        end as reason,
        match_rows.row_count,
        match_rows.known_on

    from match_rows

    cross join last_day

    left join accounts
        on match_rows.key_kind = 'account'
        and match_rows.match_key = accounts.account_id

    left join account_keys
        on match_rows.key_kind = account_keys.key_kind
        and match_rows.match_key = account_keys.match_key
        and last_day.as_of_date >= account_keys.from_on
        and last_day.as_of_date < account_keys.until_on

    left join user_segments
        on match_rows.key_kind = 'user'
        and match_rows.match_key = user_segments.user_id
        and last_day.as_of_date >= user_segments.from_on
        and last_day.as_of_date < user_segments.until_on

    left join overrides
        on match_rows.match_key = overrides.match_key
        and last_day.as_of_date >= overrides.from_on
        and last_day.as_of_date < overrides.until_on

    where match_rows.known_on <= last_day.as_of_date
        and match_rows.until_on > last_day.as_of_date
        and coalesce(accounts.account_id, account_keys.account_id, user_segments.account_id) is null

),

keys as (

    select
        as_of_date,
        source_table,
        key_kind,
        match_key,
        reason,
        sum(row_count) as row_count,
        min(known_on) as first_known_on,
        max(known_on) as last_known_on

    from unmatched

    group by as_of_date, source_table, key_kind, match_key, reason

)

select * from keys
