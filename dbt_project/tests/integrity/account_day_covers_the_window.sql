-- Every account known on a day of the window has its frozen row, and nothing else has one.
with

expected as (

    select account_id, as_of_date from {{ ref('int_account_days') }}

),

found as (

    select account_id, as_of_date from {{ ref('account_day') }}

    where {{ in_run_window('as_of_date') }}

)

select
    coalesce(expected.account_id, found.account_id) as account_id,
    coalesce(expected.as_of_date, found.as_of_date) as as_of_date

from expected

full outer join found
    on expected.account_id = found.account_id
    and expected.as_of_date = found.as_of_date

where expected.account_id is null
    or found.account_id is null
