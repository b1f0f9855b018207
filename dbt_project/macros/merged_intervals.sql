{% macro merged_intervals(relation, keys) -%}
    {%- set key_list = keys | join(', ') -%}
    select
        {{ key_list }},
        min(from_on) as from_on,
        max(until_on) as until_on

    from (

        select
            {{ key_list }},
            from_on,
            until_on,
            sum(is_island_start) over (
                partition by {{ key_list }} order by from_on rows between unbounded preceding and current row
            ) as island_no

        from (

            select
                {{ key_list }},
                from_on,
                until_on,
                case
                    when from_on <= max(until_on) over (
                        partition by {{ key_list }} order by from_on rows between unbounded preceding and 1 preceding
                    ) then 0
                    else 1
                end as is_island_start

            from (

                -- One row per key and start: two windows over ties could disagree on their order.
                select {{ key_list }}, from_on, max(until_on) as until_on
                from {{ relation }}
                where from_on < until_on
                group by {{ key_list }}, from_on

            ) as starts

        ) as flagged

    ) as islands

    group by {{ key_list }}, island_no
{%- endmacro %}
