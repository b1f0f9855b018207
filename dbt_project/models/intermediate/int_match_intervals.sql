with

match_rows as (

    select * from {{ ref('int_match_rows') }}

),

account_keys as (

    select * from {{ ref('int_account_keys') }}

),

user_segments as (

    select * from {{ ref('int_user_segments') }}

    where account_id is not null

),

account_versions as (

    select * from {{ ref('int_account_versions') }}

),

first_known_accounts as (

    select
        account_id,
        min(from_on) as from_on

    from account_versions

    group by account_id

),

matched as (

    -- An id that the CRM does not know leads nowhere.
    select
        match_rows.source_table,
        match_rows.match_key as account_id,
        case when match_rows.is_account_overridden then 'override' else 'id' end as matched_by,
        match_rows.row_count,
        match_rows.known_on,
        greatest(match_rows.known_on, first_known_accounts.from_on) as from_on,
        match_rows.until_on as until_on

    from match_rows

    inner join first_known_accounts
        on match_rows.key_kind = 'account'
        and match_rows.match_key = first_known_accounts.account_id

    union all

    select
        match_rows.source_table,
        account_keys.account_id,
        account_keys.matched_by,
        match_rows.row_count,
        match_rows.known_on,
        greatest(match_rows.known_on, account_keys.from_on) as from_on,
        least(match_rows.until_on, account_keys.until_on) as until_on

    from match_rows

    inner join account_keys
        on match_rows.key_kind = account_keys.key_kind
        and match_rows.match_key = account_keys.match_key

    union all

    select
        match_rows.source_table,
        user_segments.account_id,
        'link' as matched_by,
        match_rows.row_count,
        match_rows.known_on,
        greatest(match_rows.known_on, user_segments.from_on) as from_on,
        least(match_rows.until_on, user_segments.until_on) as until_on

    from match_rows

    inner join user_segments
        on match_rows.key_kind = 'user'
        and match_rows.match_key = user_segments.user_id

)

select * from matched

where from_on < until_on
    and from_on < {{ window_end() }}
    and until_on > {{ window_start() }}
