with

quota_days as (

    select * from {{ ref('int_quota_days') }}

),

account_sources as (

    select * from {{ ref('int_account_sources') }}

),

{% if is_incremental() -%}
frozen_rows as (

    select * from {{ this }}

    where as_of_date = {{ add_days(window_start(), -1) }}

),

{% endif -%}
limit_history as (

    select
        account_id,
        meter,
        as_of_date,
        false as is_frozen,
        limit_quantity,
        cast(null as date) as frozen_changed_on

    from quota_days

    {% if is_incremental() -%}
    union all

    select
        account_id,
        meter,
        as_of_date,
        true as is_frozen,
        limit_quantity,
        limit_changed_on as frozen_changed_on

    from frozen_rows
    {%- endif %}

),

numbered as (

    select
        *,
        row_number() over (partition by account_id, meter order by as_of_date) as row_no

    from limit_history

),

stretches as (

    -- Days without the line break the memory of its limit.
    select
        *,
        {{ add_days('as_of_date', '-cast(row_no as integer)') }} as stretch

    from numbered

),

compared as (

    select
        *,
        lag(limit_quantity) over (partition by account_id, meter, stretch order by as_of_date) as previous_limit

    from stretches

),

limit_epochs as (

    select
        account_id,
        meter,
        as_of_date,
        is_frozen,
        {{ last_not_null(
            'case when is_frozen then frozen_changed_on when limit_quantity <> previous_limit then as_of_date end',
            'account_id, meter, stretch',
            'as_of_date'
        ) }} as limit_changed_on

    from compared

)

select
    ---------- ids
    quota_days.account_id,
    quota_days.meter,
    quota_days.as_of_date,
    quota_days.line_id,

    ---------- account
    quota_days.segment,
    quota_days.first_paid_on,

    ---------- quota
    quota_days.period_start,
    quota_days.period_end,
    quota_days.limit_quantity,
    limit_epochs.limit_changed_on,
    case when account_sources.watchable_metering then quota_days.used_quantity end as used_quantity,
    case
        when account_sources.watchable_metering
            then 100.0 * quota_days.used_quantity / nullif(quota_days.limit_quantity, 0)
    end as used_pct,
    case
        when account_sources.watchable_metering
            then 100.0 * quota_days.previous_period_quantity / nullif(quota_days.limit_quantity, 0)
    end as previous_period_used_pct,
    account_sources.watchable_metering and account_sources.watchable_billing as is_watchable

from quota_days

inner join limit_epochs
    on quota_days.account_id = limit_epochs.account_id
    and quota_days.meter = limit_epochs.meter
    and quota_days.as_of_date = limit_epochs.as_of_date
    and not limit_epochs.is_frozen

inner join account_sources
    on quota_days.account_id = account_sources.account_id
    and quota_days.as_of_date = account_sources.as_of_date
