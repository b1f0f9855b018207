with

window_days as (

    select * from {{ ref('int_window_days') }}

),

match_rows as (

    select * from {{ ref('int_match_rows') }}

),

match_intervals as (

    select * from {{ ref('int_match_intervals') }}

),

account_days as (

    select * from {{ ref('int_account_days') }}

    where coalesce(account_status, 'customer') = 'customer'

),

exchange_rates as (

    select * from {{ ref('stg_billing__exchange_rates') }}

),

row_measures as (

    select
        source_table,
        'rows_total' as measure,
        row_count as amount,
        known_on as from_on,
        until_on

    from match_rows

    union all

    select source_table, 'rows_matched' as measure, row_count as amount, from_on, until_on
    from match_intervals

    union all

    select source_table, 'rows_by_' || matched_by as measure, row_count as amount, from_on, until_on
    from match_intervals

),

source_days as (

    select
        sources.source_table,
        window_days.as_of_date

    from (select distinct source_table from match_rows) as sources

    cross join window_days

),

row_counts as (

    {{ daily_sums(
        'row_measures',
        'source_days',
        ['source_table'],
        ['rows_total', 'rows_matched', 'rows_by_id', 'rows_by_domain', 'rows_by_link', 'rows_by_override'],
    ) }}

),

known_rates as (

    select
        window_days.as_of_date,
        exchange_rates.currency,
        exchange_rates.rate_to_eur,
        row_number() over (
            partition by window_days.as_of_date, exchange_rates.currency
            order by exchange_rates.rate_on desc, exchange_rates.known_from desc
        ) as recency_rank

    from window_days

    inner join exchange_rates
        on window_days.as_of_date >= exchange_rates.rate_on
        and window_days.as_of_date >= exchange_rates.known_on
        and window_days.as_of_date < coalesce(exchange_rates.replaced_on, {{ open_end() }})
        and exchange_rates.rate_on > {{ add_days('window_days.as_of_date', -var('latest_look_back_days')) }}

),

currencies as (

    -- One currency needs no rates; several are told in euros, and what has no rate is left out and counted.
    select
        as_of_date,
        case when count(distinct currency) <= 1 then max(currency) else 'EUR' end as currency

    from account_days

    where arr is not null

    group by as_of_date

),

priced_accounts as (

    select
        account_days.account_id,
        account_days.as_of_date,
        currencies.currency,
        account_days.arr is not null as has_arr,
        -- Exact, so that a sum does not depend on the order of its rows.
        cast(
            case
                when account_days.currency = currencies.currency or account_days.currency is null then account_days.arr
                else account_days.arr * known_rates.rate_to_eur
            end as decimal(28, 6)
        ) as arr

    from account_days

    left join currencies on account_days.as_of_date = currencies.as_of_date

    left join known_rates
        on account_days.as_of_date = known_rates.as_of_date
        and account_days.currency = known_rates.currency
        and known_rates.recency_rank = 1

),

book as (

    select
        as_of_date,
        max(currency) as currency,
        count(*) as accounts_total,
        sum(arr) as arr_total,
        sum(case when has_arr and arr is null then 1 else 0 end) as accounts_without_rate

    from priced_accounts

    group by as_of_date

),

matched_accounts as (

    {{ merged_intervals('match_intervals', ['source_table', 'account_id']) }}

),

matched_book as (

    select
        matched_accounts.source_table,
        priced_accounts.as_of_date,
        count(*) as accounts_matched,
        sum(priced_accounts.arr) as arr_matched

    from matched_accounts

    inner join priced_accounts
        on matched_accounts.account_id = priced_accounts.account_id
        and priced_accounts.as_of_date >= matched_accounts.from_on
        and priced_accounts.as_of_date < matched_accounts.until_on

    group by matched_accounts.source_table, priced_accounts.as_of_date

)

select
    row_counts.as_of_date,
    row_counts.source_table,
    cast(row_counts.rows_total as bigint) as rows_total,
    cast(row_counts.rows_matched as bigint) as rows_matched,
    cast(row_counts.rows_by_id as bigint) as rows_by_id,
    cast(row_counts.rows_by_domain as bigint) as rows_by_domain,
    cast(row_counts.rows_by_link as bigint) as rows_by_link,
    cast(row_counts.rows_by_override as bigint) as rows_by_override,
    cast(coalesce(matched_book.accounts_matched, 0) as bigint) as accounts_matched,
    cast(coalesce(book.accounts_total, 0) as bigint) as accounts_total,
    case
        when book.arr_total is not null then cast(coalesce(matched_book.arr_matched, 0) as double)
    end as arr_matched,
    cast(book.arr_total as double) as arr_total,
    book.currency,
    cast(coalesce(book.accounts_without_rate, 0) as bigint) as accounts_without_rate

from row_counts

left join book on row_counts.as_of_date = book.as_of_date

left join matched_book
    on row_counts.source_table = matched_book.source_table
    and row_counts.as_of_date = matched_book.as_of_date

where row_counts.rows_total > 0
