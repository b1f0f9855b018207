-- control.days (Python's clock) and workspace_date (SQL) must cut days at the same instants, or facts slip a day.
select
    as_of_date,
    known_before

from {{ ref('int_window_days') }}

where {{ workspace_date('known_before') }} <> {{ add_days('as_of_date', 1) }}
    or {{ workspace_date(dbt.dateadd('second', -1, 'known_before')) }} <> as_of_date
