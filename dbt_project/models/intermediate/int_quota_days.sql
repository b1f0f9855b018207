with

account_days as (

    select * from {{ ref('int_account_days') }}

),

subscription_lines as (

    select * from {{ ref('stg_billing__subscription_lines') }}

    where unit not in ('seat', 'plan', 'module')

),

metered_usage as (

    select * from {{ ref('stg_product__metered_usage') }}

    -- The period before a period of a year began up to two years ago.
    where used_on >= {{ add_months(window_start(), -24) }}
        and used_on < {{ window_end() }}
        and known_on < {{ window_end() }}

),

lines as (

    select
        account_id,
        line_id,
        unit as meter,
        cast(quantity as decimal(28, 6)) as quantity,
        starts_on,
        case billing_period when 'year' then 12 else 1 end as period_months,
        greatest(starts_on, known_on) as from_on,
        least(coalesce(ends_on, {{ open_end() }}), coalesce(replaced_on, {{ open_end() }})) as until_on

    from subscription_lines

),

line_days as (

    select
        account_days.account_id,
        account_days.as_of_date,
        account_days.segment,
        account_days.first_paid_on,
        lines.meter,
        lines.line_id,
        lines.starts_on,
        lines.period_months,
        sum(lines.quantity) over (
            partition by account_days.account_id, account_days.as_of_date, lines.meter
        ) as limit_quantity,
        row_number() over (
            partition by account_days.account_id, account_days.as_of_date, lines.meter
            order by lines.starts_on, lines.line_id
        ) as line_rank

    from account_days

    inner join lines
        on account_days.account_id = lines.account_id
        and account_days.as_of_date >= lines.from_on
        and account_days.as_of_date < lines.until_on

),

counted_months as (

    -- Add-on lines raise the limit; the oldest line gives the period.
    select
        *,
        12 * (extract(year from as_of_date) - extract(year from starts_on))
            + extract(month from as_of_date) - extract(month from starts_on) as calendar_months

    from line_days

    where line_rank = 1

),

full_months as (

    select
        *,
        case
            when {{ add_months('starts_on', 'cast(calendar_months as integer)') }} > as_of_date then calendar_months - 1
            else calendar_months
        end as months

    from counted_months

),

numbered as (

    select
        *,
        cast(floor(cast(months as double) / period_months) as integer) as period_no

    from full_months

),

periods as (

    select
        account_id,
        as_of_date,
        segment,
        first_paid_on,
        meter,
        line_id,
        limit_quantity,
        {{ add_months('starts_on', 'period_no * period_months') }} as period_start,
        {{ add_months('starts_on', '(period_no + 1) * period_months') }} as period_end,
        case
            when period_no >= 1 then {{ add_months('starts_on', '(period_no - 1) * period_months') }}
        end as previous_period_start

    from numbered

),

read_periods as (

    select account_id, meter, as_of_date, period_start, period_end from periods

    union all

    select account_id, meter, as_of_date, previous_period_start as period_start, period_start as period_end
    from periods
    where previous_period_start is not null

),

distinct_periods as (

    select distinct account_id, meter, period_start, period_end from read_periods

),

usage_intervals as (

    select
        distinct_periods.account_id,
        distinct_periods.meter,
        distinct_periods.period_start,
        distinct_periods.period_end,
        'quantity' as measure,
        cast(metered_usage.quantity as decimal(28, 6)) as amount,
        greatest(metered_usage.used_on, metered_usage.known_on) as from_on,
        coalesce(metered_usage.replaced_on, {{ open_end() }}) as until_on

    from distinct_periods

    inner join metered_usage
        on distinct_periods.account_id = metered_usage.account_id
        and distinct_periods.meter = metered_usage.meter
        and metered_usage.used_on >= distinct_periods.period_start
        and metered_usage.used_on < distinct_periods.period_end

),

quantities as (

    {{ daily_sums(
        'usage_intervals', 'read_periods', ['account_id', 'meter', 'period_start', 'period_end'], ['quantity']
    ) }}

),

quota_days as (

    select
        periods.account_id,
        periods.meter,
        periods.as_of_date,
        periods.segment,
        periods.first_paid_on,
        periods.line_id,
        periods.period_start,
        periods.period_end,
        cast(periods.limit_quantity as double) as limit_quantity,
        cast(present.quantity as double) as used_quantity,
        cast(previous.quantity as double) as previous_period_quantity

    from periods

    inner join quantities as present
        on periods.account_id = present.account_id
        and periods.meter = present.meter
        and periods.as_of_date = present.as_of_date
        and periods.period_start = present.period_start
        and periods.period_end = present.period_end

    left join quantities as previous
        on periods.account_id = previous.account_id
        and periods.meter = previous.meter
        and periods.as_of_date = previous.as_of_date
        and periods.previous_period_start = previous.period_start
        and periods.period_start = previous.period_end

)

select * from quota_days
