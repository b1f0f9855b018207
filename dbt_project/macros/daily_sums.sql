{% macro daily_sums(intervals, spine, keys, measures) -%}
    {%- set key_list = keys | join(', ') -%}
    select
        {{ key_list }},
        as_of_date,
        {% for measure in measures -%}
        {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from (

        select
            {{ key_list }},
            as_of_date,
            is_spine,
            {% for measure in measures -%}
            sum({{ measure }}) over (
                partition by {{ key_list }} order by as_of_date range between unbounded preceding and current row
            ) as {{ measure }}{{ ',' if not loop.last }}
            {% endfor %}
        from (

            select
                {{ key_list }},
                as_of_date,
                max(is_spine) as is_spine,
                {% for measure in measures -%}
                sum(case when measure = '{{ measure }}' then amount else 0 end)
                    as {{ measure }}{{ ',' if not loop.last }}
                {% endfor %}
            from (

                select
                    {{ key_list }},
                    as_of_date,
                    1 as is_spine,
                    cast(null as string) as measure,
                    cast(0 as decimal(28, 6)) as amount
                from {{ spine }}

                union all

                select
                    {{ key_list }},
                    greatest(from_on, {{ window_start() }}) as as_of_date,
                    0 as is_spine,
                    measure,
                    amount
                from {{ intervals }}
                where from_on < until_on
                    and from_on < {{ window_end() }}
                    and until_on > {{ window_start() }}

                union all

                select {{ key_list }}, until_on as as_of_date, 0 as is_spine, measure, -amount as amount
                from {{ intervals }}
                where from_on < until_on
                    and until_on > {{ window_start() }}
                    and until_on < {{ window_end() }}

            ) as changes

            group by {{ key_list }}, as_of_date

        ) as daily_changes

    ) as running

    where is_spine = 1
{%- endmacro %}
