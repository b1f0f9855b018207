{% test unique_combination(model, columns, window_column=none) %}

select
    {{ columns | join(', ') }},
    count(*) as row_count

from {{ model }}

{% if window_column -%}
where {{ in_run_window(window_column) }}

{% endif -%}
group by {{ columns | join(', ') }}

having count(*) > 1

{% endtest %}
