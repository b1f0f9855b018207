{{ config(materialized='view') }}

with

days as (

    select * from {{ source('control', 'days') }}

),

run_window as (

    select * from {{ source('control', 'run_window') }}

),

window_days as (

    select
        days.as_of_date,
        days.known_before

    from days

    inner join run_window
        on days.as_of_date >= run_window.window_start
        and days.as_of_date < run_window.window_end

)

select * from window_days
