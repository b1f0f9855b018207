with

source as (

    select * from {{ source('raw', 'growth_headcount') }}

),

domains as (

    select domain as spelt_domain, company_domain, status as domain_status from {{ ref('stg_identity__domains') }}

),

titles as (

    select title as spelt_title, function as title_function from {{ source('identity', 'titles') }}

),

renamed as (

    select
        ---------- ids
        domains.company_domain as account_domain,
        domains.domain_status,
        {{ clean_label('department') }} as department,
        coalesce(titles.title_function, {{ clean_label('department') }}) as function_key,
        'growth_headcount' as source_table,
        cast(row_key as string) as row_key,

        ---------- numerics
        cast(headcount as bigint) as headcount,
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,

        ---------- dates and times
        cast(observed_on as date) as observed_on,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

    left join domains on source.account_domain = domains.spelt_domain

    left join titles on source.department = titles.spelt_title

)

select * from renamed
