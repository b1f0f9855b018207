{% macro in_run_window(day) -%}
    {{ day }} >= {{ window_start() }} and {{ day }} < {{ window_end() }}
{%- endmacro %}
