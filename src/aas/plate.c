#include "aas/plate.h"

const gm_aas_plate gm_aas_plates[] = {
    { "ManufacturerName", "manufacturerName", "0112/2///61987#ABA565#009", "0173-1#02-AAO677#004", NULL },
    { "ManufacturerProductDesignation", "manufacturerProductDesignation", "0112/2///61987#ABA567#009", "0173-1#02-AAW338#003", NULL },
    { "ManufacturerProductRoot", "manufacturerProductRoot", "0112/2///61360_7#AAS011#001", "0173-1#02-AAU732#003", NULL },
    { "ManufacturerProductFamily", "manufacturerProductFamily", "0112/2///61987#ABP464#002", "0173-1#02-AAU731#003", NULL },
    { "ManufacturerProductType", "manufacturerProductType", "0112/2///61987#ABA300#008", "0173-1#02-AAO057#004", "xs:string" },
    { "OrderCodeOfManufacturer", "orderCodeOfManufacturer", "0112/2///61987#ABA950#008", "0173-1#02-AAO227#004", "xs:string" },
    { "ProductArticleNumberOfManufacturer", "productArticleNumberOfManufacturer", "0112/2///61987#ABA581#007", "0173-1#02-AAO676#005", "xs:string" },
    { "SerialNumber", "serialNumber", "0112/2///61987#ABA951#009", "0173-1#02-AAM556#004", "xs:string" },
    { "YearOfConstruction", "yearOfConstruction", "0112/2///61987#ABP000#002", "0173-1#02-AAP906#003", "xs:string" },
    { "DateOfManufacture", "dateOfManufacture", "0112/2///61987#ABB757#007", "0173-1#02-AAR972#004", "xs:date" },
    { "HardwareVersion", "hardwareVersion", "0112/2///61987#ABA926#008", "0173-1#02-AAN270#004", "xs:string" },
    { "FirmwareVersion", "firmwareVersion", "0112/2///61987#ABA302#006", "0173-1#02-AAN270#004", "xs:string" },
    { "SoftwareVersion", "softwareVersion", "0112/2///61987#ABA601#008", "0173-1#02-AAM737#004", "xs:string" },
    { "CountryOfOrigin", "countryOfOrigin", "0112/2///61987#ABP462#001", "0173-1#02-AAO259#007", "xs:string" },
    { "UniqueFacilityIdentifier", "uniqueFacilityIdentifier", "https://admin-shell.io/idta/nameplate/3/0/UniqueFacilityIdentifier", NULL, "xs:string" },
};
const size_t gm_aas_plate_count = sizeof gm_aas_plates / sizeof gm_aas_plates[0];

// SMT drop-in Address Information (IDTA 02002-1-0), the part that a plate has room for.
const gm_aas_plate gm_aas_addresses[] = {
    { "Company", "manufacturerCompany", "0173-1#02-AAW001#001", NULL, NULL },
    { "Street", "manufacturerStreet", "0173-1#02-AAO128#002", NULL, NULL },
    { "Zipcode", "manufacturerZipcode", "0173-1#02-AAO129#002", NULL, NULL },
    { "CityTown", "manufacturerCityTown", "0173-1#02-AAO132#002", NULL, NULL },
    { "NationalCode", "manufacturerNationalCode", "0173-1#02-AAO134#002", NULL, NULL },
};
const size_t gm_aas_address_count = sizeof gm_aas_addresses / sizeof gm_aas_addresses[0];

const gm_aas_plate gm_aas_generals[] = {
    { "ManufacturerName", "manufacturerName", "0173-1#02-AAO677#002", NULL, "xs:string" },
    { "ManufacturerProductDesignation", "manufacturerProductDesignation", "0173-1#02-AAW338#001", NULL, NULL },
    { "ManufacturerArticleNumber", "productArticleNumberOfManufacturer", "0173-1#02-AAO676#003", NULL, "xs:string" },
    { "ManufacturerOrderCode", "orderCodeOfManufacturer", "0173-1#02-AAO227#002", NULL, "xs:string" },
};
const size_t gm_aas_general_count = sizeof gm_aas_generals / sizeof gm_aas_generals[0];

const gm_aas_plate *gm_aas_plate_of(const gm_aas_plate *rows, size_t count, gm_str id_short)
{
    for (size_t i = 0; i < count; i++) {
        if (gm_str_is(id_short, rows[i].id_short)) return &rows[i];
    }
    return NULL;
}

bool gm_aas_plate_has_key(gm_str key)
{
    for (size_t i = 0; i < gm_aas_plate_count; i++) {
        if (gm_str_is(key, gm_aas_plates[i].key)) return true;
    }
    for (size_t i = 0; i < gm_aas_address_count; i++) {
        if (gm_str_is(key, gm_aas_addresses[i].key)) return true;
    }
    return false;
}

const char *const gm_aas_specifics[] = { "serialNumber", "batchNumber", "productArticleNumberOfManufacturer", "orderCodeOfManufacturer" };
const size_t gm_aas_specific_count = sizeof gm_aas_specifics / sizeof gm_aas_specifics[0];

bool gm_aas_is_specific(gm_str key)
{
    for (size_t i = 0; i < gm_aas_specific_count; i++) {
        if (gm_str_is(key, gm_aas_specifics[i])) return true;
    }
    return false;
}
