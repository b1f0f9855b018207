with

source as (

    select * from {{ source('identity', 'domains') }}

),

renamed as (

    select
        ---------- ids
        cast(domain as string) as domain,

        ---------- texts
        cast(status as string) as status,
        case when status = 'company' then cast(registrable_domain as string) end as company_domain

    from source

)

select * from renamed
