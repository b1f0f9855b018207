with

subscription_lines as (

    select * from {{ ref('stg_billing__subscription_lines') }}

    where licensed_departments is not null

),

positions as (

    {% for position in range(1, 31) -%}
    select {{ position }} as position_no
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

named_departments as (

    select
        subscription_lines.account_id,
        nullif(
            trim({{ dbt.split_part('subscription_lines.licensed_departments', "'|'", 'positions.position_no') }}), ''
        ) as department,
        greatest(subscription_lines.starts_on, subscription_lines.known_on) as from_on,
        least(
            coalesce(subscription_lines.ends_on, {{ open_end() }}),
            coalesce(subscription_lines.replaced_on, {{ open_end() }})
        ) as until_on

    from subscription_lines

    cross join positions

),

licensed as (

    select * from named_departments

    where department is not null

),

merged as (

    {{ merged_intervals('licensed', ['account_id', 'department']) }}

)

select * from merged
