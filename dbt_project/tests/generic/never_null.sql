{% test never_null(model, columns, window_column=none) %}

select *

from {{ model }}

where (
    {%- for column in columns %}
    {{ 'or ' if not loop.first }}{{ column }} is null
    {%- endfor %}
)
{%- if window_column %}
    and {{ in_run_window(window_column) }}
{%- endif %}

{% endtest %}
