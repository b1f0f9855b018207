{% macro newly_known(day) -%}
    {#- The first run of a history also takes what was known before its first day. -#}
    {{ in_run_window(day) if is_incremental() else day ~ ' < ' ~ window_end() }}
{%- endmacro %}
