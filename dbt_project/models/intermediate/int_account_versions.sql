with

accounts as (

    select * from {{ ref('stg_crm__accounts') }}

),

stretched as (

    -- Until the next version or the deletion: an account stays when its export falls silent, not when it is deleted.
    select
        ---------- ids
        account_id,
        owner_id,
        ae_id,

        ---------- texts
        account_name,
        segment,
        country,
        domain,
        currency,
        use_case,
        using_function,
        function_key,
        account_status,

        ---------- numerics
        arr,
        notice_days,
        fiscal_year_end_month,

        ---------- dates and times
        first_paid_on,
        renewal_on,
        known_from,
        known_on as from_on,
        coalesce(replaced_on, {{ open_end() }}) as until_on

    from accounts

)

select * from stretched

where from_on < until_on
