with

window_days as (

    select * from {{ ref('int_window_days') }}

),

account_versions as (

    select * from {{ ref('int_account_versions') }}

),

account_days as (

    select
        ---------- ids
        account_versions.account_id,
        account_versions.owner_id,
        account_versions.ae_id,

        ---------- texts
        account_versions.account_name,
        account_versions.segment,
        account_versions.country,
        account_versions.domain,
        account_versions.currency,
        account_versions.use_case,
        account_versions.using_function,
        account_versions.function_key,
        account_versions.account_status,

        ---------- numerics
        account_versions.arr,
        account_versions.notice_days,
        account_versions.fiscal_year_end_month,

        ---------- dates and times
        window_days.as_of_date,
        account_versions.first_paid_on,
        account_versions.renewal_on

    from window_days

    inner join account_versions
        on window_days.as_of_date >= account_versions.from_on
        and window_days.as_of_date < account_versions.until_on

)

select * from account_days
