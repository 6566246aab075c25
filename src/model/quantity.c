// Three tables in the order of their names, searched by halving. A new unit is one line; the test checks the order and
// compares the factors with the unit expressions of base/units.h.
#include "model/quantity.h"

#include <assert.h>

#define PI 3.14159265358979323846
#define ALL GM_QUANTITY_ALL
#define EXT GM_QUANTITY_EXTENSIONS
#define EXT3 GM_QUANTITY_EXTENSION_3

enum {
    TYPE_AccelerationUnit, TYPE_AngleUnit, TYPE_AngularAccelerationUnit, TYPE_AngularVelocityUnit,
    TYPE_ApparentEnergyUnit, TYPE_ApparentPowerUnit, TYPE_AreaUnit, TYPE_CapacitanceUnit, TYPE_ChargeUnit,
    TYPE_CurrentUnit, TYPE_DataRateUnit, TYPE_DataSizeUnit, TYPE_DensityUnit, TYPE_DynamicViscosityUnit,
    TYPE_EnergyUnit, TYPE_ForceUnit, TYPE_FrequencyUnit, TYPE_GasLeakageRateUnit, TYPE_IlluminanceUnit,
    TYPE_InductanceUnit, TYPE_IonizingRadiationDoseUnit, TYPE_IrradianceUnit, TYPE_KinematicViscosityUnit,
    TYPE_LengthUnit, TYPE_LuminanceUnit, TYPE_LuminousFluxUnit, TYPE_LuminousIntensityUnit, TYPE_MagneticFluxUnit,
    TYPE_MagneticInductionUnit, TYPE_MassFlowRateUnit, TYPE_MassUnit, TYPE_PowerUnit, TYPE_PressureUnit,
    TYPE_RadioactivityUnit, TYPE_ReactiveEnergyUnit, TYPE_ReactivePowerUnit, TYPE_ReciprocalLengthUnit,
    TYPE_ReciprocalTimeUnit, TYPE_ResistanceUnit, TYPE_SoundPressureUnit, TYPE_TemperatureUnit, TYPE_TimeUnit,
    TYPE_TorqueUnit, TYPE_Unitless, TYPE_VelocityUnit, TYPE_VoltageUnit, TYPE_VolumeFlowRateUnit, TYPE_VolumeUnit,
    TYPE_COUNT
};

static const gm_unit_type unit_types[TYPE_COUNT] = {
    { "AccelerationUnit", ALL },
    { "AngleUnit", ALL },
    { "AngularAccelerationUnit", ALL },
    { "AngularVelocityUnit", ALL },
    { "ApparentEnergyUnit", EXT },
    { "ApparentPowerUnit", EXT },
    { "AreaUnit", ALL },
    { "CapacitanceUnit", ALL },
    { "ChargeUnit", ALL },
    { "CurrentUnit", ALL },
    { "DataRateUnit", ALL },
    { "DataSizeUnit", ALL },
    { "DensityUnit", ALL },
    { "DynamicViscosityUnit", EXT3 },
    { "EnergyUnit", ALL },
    { "ForceUnit", ALL },
    { "FrequencyUnit", ALL },
    { "GasLeakageRateUnit", EXT3 },
    { "IlluminanceUnit", ALL },
    { "InductanceUnit", ALL },
    { "IonizingRadiationDoseUnit", EXT },
    { "IrradianceUnit", EXT },
    { "KinematicViscosityUnit", EXT3 },
    { "LengthUnit", ALL },
    { "LuminanceUnit", ALL },
    { "LuminousFluxUnit", ALL },
    { "LuminousIntensityUnit", ALL },
    { "MagneticFluxUnit", ALL },
    { "MagneticInductionUnit", ALL },
    { "MassFlowRateUnit", ALL },
    { "MassUnit", ALL },
    { "PowerUnit", ALL },
    { "PressureUnit", ALL },
    { "RadioactivityUnit", EXT },
    { "ReactiveEnergyUnit", EXT },
    { "ReactivePowerUnit", EXT },
    { "ReciprocalLengthUnit", EXT3 },
    { "ReciprocalTimeUnit", EXT3 },
    { "ResistanceUnit", ALL },
    { "SoundPressureUnit", ALL },
    { "TemperatureUnit", ALL },
    { "TimeUnit", ALL },
    { "TorqueUnit", ALL },
    { "Unitless", ALL },
    { "VelocityUnit", ALL },
    { "VoltageUnit", ALL },
    { "VolumeFlowRateUnit", ALL },
    { "VolumeUnit", ALL },
};

#define T(name) &unit_types[TYPE_##name]

// Exponents of the base units.
#define ACCELERATION { [GM_DIM_M] = 1, [GM_DIM_S] = -2 }
#define ANGLE { [GM_DIM_RAD] = 1 }
#define ANGULAR_ACCELERATION { [GM_DIM_RAD] = 1, [GM_DIM_S] = -2 }
#define ANGULAR_VELOCITY { [GM_DIM_RAD] = 1, [GM_DIM_S] = -1 }
#define AREA { [GM_DIM_M] = 2 }
#define CAPACITANCE { [GM_DIM_KG] = -1, [GM_DIM_M] = -2, [GM_DIM_S] = 4, [GM_DIM_A] = 2 }
#define CHARGE { [GM_DIM_A] = 1, [GM_DIM_S] = 1 }
#define CURRENT { [GM_DIM_A] = 1 }
#define DATA { [GM_DIM_BIT] = 1 }
#define DATA_RATE { [GM_DIM_BIT] = 1, [GM_DIM_S] = -1 }
#define DENSITY { [GM_DIM_KG] = 1, [GM_DIM_M] = -3 }
#define DOSE { [GM_DIM_M] = 2, [GM_DIM_S] = -2 }
#define DYNAMIC_VISCOSITY { [GM_DIM_KG] = 1, [GM_DIM_M] = -1, [GM_DIM_S] = -1 }
#define ENERGY { [GM_DIM_KG] = 1, [GM_DIM_M] = 2, [GM_DIM_S] = -2 }
#define FORCE { [GM_DIM_KG] = 1, [GM_DIM_M] = 1, [GM_DIM_S] = -2 }
#define ILLUMINANCE { [GM_DIM_CD] = 1, [GM_DIM_M] = -2 }
#define INDUCTANCE { [GM_DIM_KG] = 1, [GM_DIM_M] = 2, [GM_DIM_S] = -2, [GM_DIM_A] = -2 }
#define INDUCTION { [GM_DIM_KG] = 1, [GM_DIM_S] = -2, [GM_DIM_A] = -1 }
#define IRRADIANCE { [GM_DIM_KG] = 1, [GM_DIM_S] = -3 }
#define KINEMATIC_VISCOSITY { [GM_DIM_M] = 2, [GM_DIM_S] = -1 }
#define LENGTH { [GM_DIM_M] = 1 }
#define LUMINANCE { [GM_DIM_CD] = 1, [GM_DIM_M] = -2 }
#define LUMINOUS { [GM_DIM_CD] = 1 }
#define MAGNETIC_FLUX { [GM_DIM_KG] = 1, [GM_DIM_M] = 2, [GM_DIM_S] = -2, [GM_DIM_A] = -1 }
#define MASS { [GM_DIM_KG] = 1 }
#define MASS_FLOW { [GM_DIM_KG] = 1, [GM_DIM_S] = -1 }
#define NONE { 0 }
#define PER_LENGTH { [GM_DIM_M] = -1 }
#define PER_TIME { [GM_DIM_S] = -1 }
#define POWER { [GM_DIM_KG] = 1, [GM_DIM_M] = 2, [GM_DIM_S] = -3 }
#define PRESSURE { [GM_DIM_KG] = 1, [GM_DIM_M] = -1, [GM_DIM_S] = -2 }
#define RESISTANCE { [GM_DIM_KG] = 1, [GM_DIM_M] = 2, [GM_DIM_S] = -3, [GM_DIM_A] = -2 }
#define TEMPERATURE { [GM_DIM_K] = 1 }
#define TIME { [GM_DIM_S] = 1 }
#define VELOCITY { [GM_DIM_M] = 1, [GM_DIM_S] = -1 }
#define VOLTAGE { [GM_DIM_KG] = 1, [GM_DIM_M] = 2, [GM_DIM_S] = -3, [GM_DIM_A] = -1 }
#define VOLUME { [GM_DIM_M] = 3 }
#define VOLUME_FLOW { [GM_DIM_M] = 3, [GM_DIM_S] = -1 }

// name, symbol, unit type, vocabularies, { factor to SI, offset to SI, dimension }
static const gm_named_unit units[] = {
    { "acre", "ac", T(AreaUnit), ALL, { 4046.8564224, 0, AREA } },
    { "ampere", "A", T(CurrentUnit), ALL, { 1, 0, CURRENT } },
    { "ampereHour", "Ah", T(ChargeUnit), EXT, { 3600, 0, CHARGE } },
    { "astronomicalUnit", "au", T(LengthUnit), ALL, { 149597870700, 0, LENGTH } },
    { "bar", "bar", T(PressureUnit), ALL, { 1e5, 0, PRESSURE } },
    { "becquerel", "Bq", T(RadioactivityUnit), EXT, { 1, 0, PER_TIME } },
    { "bel", "B", T(SoundPressureUnit), ALL, { 1, 0, NONE } },
    { "bit", "bit", T(DataSizeUnit), ALL, { 1, 0, DATA } },
    { "bitPerSecond", "bit/s", T(DataRateUnit), ALL, { 1, 0, DATA_RATE } },
    { "britishThermalUnit", "BTU", T(EnergyUnit), EXT, { 1055.05585262, 0, ENERGY } },
    { "britishThermalUnitPerHour", "BTU/h", T(PowerUnit), EXT, { 1055.05585262 / 3600, 0, POWER } },
    { "byte", "B", T(DataSizeUnit), ALL, { 8, 0, DATA } },
    { "bytePerSecond", "B/s", T(DataRateUnit), ALL, { 8, 0, DATA_RATE } },
    { "candela", "cd", T(LuminousIntensityUnit), ALL, { 1, 0, LUMINOUS } },
    { "candelaPerSquareMetre", "cd/m²", T(LuminanceUnit), ALL, { 1, 0, LUMINANCE } },
    { "centimetre", "cm", T(LengthUnit), ALL, { 1e-2, 0, LENGTH } },
    { "centimetrePerSecond", "cm/s", T(VelocityUnit), ALL, { 1e-2, 0, VELOCITY } },
    { "centimetrePerSecondSquared", "cm/s²", T(AccelerationUnit), ALL, { 1e-2, 0, ACCELERATION } },
    { "centipoise", "cP", T(DynamicViscosityUnit), EXT3, { 1e-3, 0, DYNAMIC_VISCOSITY } },
    { "centistokes", "cSt", T(KinematicViscosityUnit), EXT3, { 1e-6, 0, KINEMATIC_VISCOSITY } },
    { "coulomb", "C", T(ChargeUnit), ALL, { 1, 0, CHARGE } },
    { "cubicCentimetre", "cm³", T(VolumeUnit), ALL, { 1e-6, 0, VOLUME } },
    { "cubicCentimetrePerMinute", "cm³/min", T(VolumeFlowRateUnit), EXT3, { 1e-6 / 60, 0, VOLUME_FLOW } },
    { "cubicCentimetrePerSecond", "cm³/s", T(VolumeFlowRateUnit), EXT3, { 1e-6, 0, VOLUME_FLOW } },
    { "cubicFoot", "ft³", T(VolumeUnit), ALL, { 0.028316846592, 0, VOLUME } },
    { "cubicFootPerMinute", "ft³/min", T(VolumeFlowRateUnit), EXT, { 0.028316846592 / 60, 0, VOLUME_FLOW } },
    { "cubicInch", "in³", T(VolumeUnit), ALL, { 1.6387064e-5, 0, VOLUME } },
    { "cubicMetre", "m³", T(VolumeUnit), ALL, { 1, 0, VOLUME } },
    { "cubicMetrePerHour", "m³/h", T(VolumeFlowRateUnit), EXT, { 1.0 / 3600, 0, VOLUME_FLOW } },
    { "cubicMetrePerMinute", "m³/min", T(VolumeFlowRateUnit), EXT, { 1.0 / 60, 0, VOLUME_FLOW } },
    { "cubicMetrePerSecond", "m³/s", T(VolumeFlowRateUnit), EXT, { 1, 0, VOLUME_FLOW } },
    { "day", "d", T(TimeUnit), ALL, { 86400, 0, TIME } },
    { "decapascal", "daPa", T(PressureUnit), EXT, { 10, 0, PRESSURE } },
    { "decapascalCubicMetrePerSecond", "daPa·m³/s", T(GasLeakageRateUnit), EXT3, { 10, 0, POWER } },
    { "decibel", "dB", T(SoundPressureUnit), ALL, { 0.1, 0, NONE } },
    { "degreeCelsius", "°C", T(TemperatureUnit), ALL, { 1, 273.15, TEMPERATURE } },
    { "degreeFahrenheit", "°F", T(TemperatureUnit), ALL, { 5.0 / 9, 459.67 * 5 / 9, TEMPERATURE } },
    { "degreeOfArc", "°", T(AngleUnit), ALL, { PI / 180, 0, ANGLE } },
    { "degreePerSecond", "°/s", T(AngularVelocityUnit), ALL, { PI / 180, 0, ANGULAR_VELOCITY } },
    { "electronvolt", "eV", T(EnergyUnit), ALL, { 1.602176634e-19, 0, ENERGY } },
    { "exbibit", "Eibit", T(DataSizeUnit), ALL, { 0x1p60, 0, DATA } },
    { "exbibitPerSecond", "Eibit/s", T(DataRateUnit), ALL, { 0x1p60, 0, DATA_RATE } },
    { "exbibyte", "EiB", T(DataSizeUnit), ALL, { 0x1p63, 0, DATA } },
    { "exbibytePerSecond", "EiB/s", T(DataRateUnit), ALL, { 0x1p63, 0, DATA_RATE } },
    { "farad", "F", T(CapacitanceUnit), ALL, { 1, 0, CAPACITANCE } },
    { "fluidOunce", "fl oz", T(VolumeUnit), ALL, { 2.95735295625e-5, 0, VOLUME } },
    { "foot", "ft", T(LengthUnit), ALL, { 0.3048, 0, LENGTH } },
    { "footcandle", "fc", T(IlluminanceUnit), ALL, { 1 / 0.09290304, 0, ILLUMINANCE } },
    { "gForce", "g", T(AccelerationUnit), ALL, { 9.80665, 0, ACCELERATION } },
    { "gallon", "gal", T(VolumeUnit), ALL, { 3.785411784e-3, 0, VOLUME } },
    { "gallonPerHour", "gal/h", T(VolumeFlowRateUnit), EXT, { 3.785411784e-3 / 3600, 0, VOLUME_FLOW } },
    { "gallonPerMinute", "gal/min", T(VolumeFlowRateUnit), EXT, { 3.785411784e-3 / 60, 0, VOLUME_FLOW } },
    { "gauss", "G", T(MagneticInductionUnit), EXT, { 1e-4, 0, INDUCTION } },
    { "gibibit", "Gibit", T(DataSizeUnit), ALL, { 0x1p30, 0, DATA } },
    { "gibibitPerSecond", "Gibit/s", T(DataRateUnit), ALL, { 0x1p30, 0, DATA_RATE } },
    { "gibibyte", "GiB", T(DataSizeUnit), ALL, { 0x1p33, 0, DATA } },
    { "gibibytePerSecond", "GiB/s", T(DataRateUnit), ALL, { 0x1p33, 0, DATA_RATE } },
    { "gigabecquerel", "GBq", T(RadioactivityUnit), EXT, { 1e+09, 0, PER_TIME } },
    { "gigahertz", "GHz", T(FrequencyUnit), ALL, { 1e+09, 0, PER_TIME } },
    { "gigajoule", "GJ", T(EnergyUnit), ALL, { 1e9, 0, ENERGY } },
    { "gigajoulePerHour", "GJ/h", T(PowerUnit), EXT, { 1e9 / 3600, 0, POWER } },
    { "gigavoltAmpere", "GVA", T(ApparentPowerUnit), EXT, { 1e+09, 0, POWER } },
    { "gigavoltAmpereHour", "GVAh", T(ApparentEnergyUnit), EXT, { 1e+09 * 3600, 0, ENERGY } },
    { "gigavoltAmpereReactive", "Gvar", T(ReactivePowerUnit), EXT, { 1e+09, 0, POWER } },
    { "gigavoltAmpereReactiveHour", "Gvarh", T(ReactiveEnergyUnit), EXT, { 1e+09 * 3600, 0, ENERGY } },
    { "gigawatt", "GW", T(PowerUnit), ALL, { 1e+09, 0, POWER } },
    { "gigawattHour", "GWh", T(EnergyUnit), EXT, { 3.6e12, 0, ENERGY } },
    { "gram", "g", T(MassUnit), ALL, { 1e-3, 0, MASS } },
    { "gramPerCubicMetre", "g/m³", T(DensityUnit), ALL, { 1e-3, 0, DENSITY } },
    { "gramPerHour", "g/h", T(MassFlowRateUnit), ALL, { 1e-3 / 3600, 0, MASS_FLOW } },
    { "gramPerSecond", "g/s", T(MassFlowRateUnit), ALL, { 1e-3, 0, MASS_FLOW } },
    { "gray", "Gy", T(IonizingRadiationDoseUnit), EXT, { 1, 0, DOSE } },
    { "hectare", "ha", T(AreaUnit), ALL, { 1e4, 0, AREA } },
    { "hectopascal", "hPa", T(PressureUnit), EXT, { 1e2, 0, PRESSURE } },
    { "hectopascalCubicMetrePerSecond", "hPa·m³/s", T(GasLeakageRateUnit), EXT3, { 100, 0, POWER } },
    { "henry", "H", T(InductanceUnit), ALL, { 1, 0, INDUCTANCE } },
    { "hertz", "Hz", T(FrequencyUnit), ALL, { 1, 0, PER_TIME } },
    { "horsepower", "hp", T(PowerUnit), ALL, { 745.69987158227022, 0, POWER } },
    { "hour", "h", T(TimeUnit), ALL, { 3600, 0, TIME } },
    { "inch", "in", T(LengthUnit), ALL, { 0.0254, 0, LENGTH } },
    { "inchesOfMercury", "inHg", T(PressureUnit), ALL, { 3386.388640341, 0, PRESSURE } },
    { "inchesOfWater", "inH₂O", T(PressureUnit), ALL, { 249.08891, 0, PRESSURE } },
    { "joule", "J", T(EnergyUnit), ALL, { 1, 0, ENERGY } },
    { "joulePerHour", "J/h", T(PowerUnit), EXT, { 1.0 / 3600, 0, POWER } },
    { "joulePerSecond", "J/s", T(PowerUnit), EXT, { 1, 0, POWER } },
    { "kelvin", "K", T(TemperatureUnit), ALL, { 1, 0, TEMPERATURE } },
    { "kibibit", "Kibit", T(DataSizeUnit), ALL, { 0x1p10, 0, DATA } },
    { "kibibitPerSecond", "Kibit/s", T(DataRateUnit), ALL, { 0x1p10, 0, DATA_RATE } },
    { "kibibyte", "KiB", T(DataSizeUnit), ALL, { 0x1p13, 0, DATA } },
    { "kibibytePerSecond", "KiB/s", T(DataRateUnit), ALL, { 0x1p13, 0, DATA_RATE } },
    { "kiloBritishThermalUnit", "kBTU", T(EnergyUnit), EXT, { 1e3 * 1055.05585262, 0, ENERGY } },
    { "kiloBritishThermalUnitPerHour", "kBTU/h", T(PowerUnit), EXT, { 1e3 * 1055.05585262 / 3600, 0, POWER } },
    { "kiloampere", "kA", T(CurrentUnit), EXT, { 1000, 0, CURRENT } },
    { "kilobecquerel", "kBq", T(RadioactivityUnit), EXT, { 1000, 0, PER_TIME } },
    { "kilogram", "kg", T(MassUnit), ALL, { 1, 0, MASS } },
    { "kilogramPerCubicMetre", "kg/m³", T(DensityUnit), ALL, { 1, 0, DENSITY } },
    { "kilogramPerHour", "kg/h", T(MassFlowRateUnit), ALL, { 1.0 / 3600, 0, MASS_FLOW } },
    { "kilogramPerSecond", "kg/s", T(MassFlowRateUnit), ALL, { 1, 0, MASS_FLOW } },
    { "kilohertz", "kHz", T(FrequencyUnit), ALL, { 1000, 0, PER_TIME } },
    { "kilojoule", "kJ", T(EnergyUnit), ALL, { 1e3, 0, ENERGY } },
    { "kilojoulePerHour", "kJ/h", T(PowerUnit), EXT, { 1e3 / 3600, 0, POWER } },
    { "kilojoulePerSecond", "kJ/s", T(PowerUnit), EXT, { 1e3, 0, POWER } },
    { "kilometre", "km", T(LengthUnit), ALL, { 1e3, 0, LENGTH } },
    { "kilometrePerHour", "km/h", T(VelocityUnit), ALL, { 1.0 / 3.6, 0, VELOCITY } },
    { "kilometrePerSecond", "km/s", T(VelocityUnit), ALL, { 1e3, 0, VELOCITY } },
    { "kilometrePerSecondSquared", "km/s²", T(AccelerationUnit), EXT3, { 1e3, 0, ACCELERATION } },
    { "kiloohm", "kΩ", T(ResistanceUnit), ALL, { 1000, 0, RESISTANCE } },
    { "kilopascal", "kPa", T(PressureUnit), ALL, { 1e3, 0, PRESSURE } },
    { "kilopascalCubicMetrePerSecond", "kPa·m³/s", T(GasLeakageRateUnit), EXT3, { 1e3, 0, POWER } },
    { "kilovolt", "kV", T(VoltageUnit), ALL, { 1000, 0, VOLTAGE } },
    { "kilovoltAmpere", "kVA", T(ApparentPowerUnit), EXT, { 1000, 0, POWER } },
    { "kilovoltAmpereHour", "kVAh", T(ApparentEnergyUnit), EXT, { 1000 * 3600, 0, ENERGY } },
    { "kilovoltAmpereReactive", "kvar", T(ReactivePowerUnit), EXT, { 1000, 0, POWER } },
    { "kilovoltAmpereReactiveHour", "kvarh", T(ReactiveEnergyUnit), EXT, { 1000 * 3600, 0, ENERGY } },
    { "kilowatt", "kW", T(PowerUnit), ALL, { 1000, 0, POWER } },
    { "kilowattHour", "kWh", T(EnergyUnit), ALL, { 3.6e6, 0, ENERGY } },
    { "kilowattHourPerYear", "kWh/yr", T(PowerUnit), ALL, { 3.6e6 / 31557600, 0, POWER } },
    { "knot", "kn", T(VelocityUnit), ALL, { 1852.0 / 3600, 0, VELOCITY } },
    { "litre", "L", T(VolumeUnit), ALL, { 1e-3, 0, VOLUME } },
    { "litrePerHour", "L/h", T(VolumeFlowRateUnit), ALL, { 1e-3 / 3600, 0, VOLUME_FLOW } },
    { "litrePerMinute", "L/min", T(VolumeFlowRateUnit), EXT, { 1e-3 / 60, 0, VOLUME_FLOW } },
    { "litrePerSecond", "L/s", T(VolumeFlowRateUnit), ALL, { 1e-3, 0, VOLUME_FLOW } },
    { "lumen", "lm", T(LuminousFluxUnit), ALL, { 1, 0, LUMINOUS } },
    { "lux", "lx", T(IlluminanceUnit), ALL, { 1, 0, ILLUMINANCE } },
    { "massPound", "lb", T(MassUnit), EXT, { 0.45359237, 0, MASS } },
    { "massPoundPerHour", "lb/h", T(MassFlowRateUnit), EXT, { 0.45359237 / 3600, 0, MASS_FLOW } },
    { "maxwell", "Mx", T(MagneticFluxUnit), ALL, { 1e-8, 0, MAGNETIC_FLUX } },
    { "mebibit", "Mibit", T(DataSizeUnit), ALL, { 0x1p20, 0, DATA } },
    { "mebibitPerSecond", "Mibit/s", T(DataRateUnit), ALL, { 0x1p20, 0, DATA_RATE } },
    { "mebibyte", "MiB", T(DataSizeUnit), ALL, { 0x1p23, 0, DATA } },
    { "mebibytePerSecond", "MiB/s", T(DataRateUnit), ALL, { 0x1p23, 0, DATA_RATE } },
    { "megabecquerel", "MBq", T(RadioactivityUnit), EXT, { 1e+06, 0, PER_TIME } },
    { "megaelectronvolt", "MeV", T(EnergyUnit), ALL, { 1.602176634e-13, 0, ENERGY } },
    { "megahertz", "MHz", T(FrequencyUnit), ALL, { 1e+06, 0, PER_TIME } },
    { "megajoule", "MJ", T(EnergyUnit), ALL, { 1e6, 0, ENERGY } },
    { "megajoulePerHour", "MJ/h", T(PowerUnit), EXT, { 1e6 / 3600, 0, POWER } },
    { "megaohm", "MΩ", T(ResistanceUnit), ALL, { 1e+06, 0, RESISTANCE } },
    { "megavolt", "MV", T(VoltageUnit), ALL, { 1e+06, 0, VOLTAGE } },
    { "megavoltAmpere", "MVA", T(ApparentPowerUnit), EXT, { 1e+06, 0, POWER } },
    { "megavoltAmpereHour", "MVAh", T(ApparentEnergyUnit), EXT, { 1e+06 * 3600, 0, ENERGY } },
    { "megavoltAmpereReactive", "Mvar", T(ReactivePowerUnit), EXT, { 1e+06, 0, POWER } },
    { "megavoltAmpereReactiveHour", "Mvarh", T(ReactiveEnergyUnit), EXT, { 1e+06 * 3600, 0, ENERGY } },
    { "megawatt", "MW", T(PowerUnit), ALL, { 1e+06, 0, POWER } },
    { "megawattHour", "MWh", T(EnergyUnit), EXT, { 3.6e9, 0, ENERGY } },
    { "metre", "m", T(LengthUnit), ALL, { 1, 0, LENGTH } },
    { "metrePerHour", "m/h", T(VelocityUnit), ALL, { 1.0 / 3600, 0, VELOCITY } },
    { "metrePerSecond", "m/s", T(VelocityUnit), ALL, { 1, 0, VELOCITY } },
    { "metrePerSecondSquared", "m/s²", T(AccelerationUnit), ALL, { 1, 0, ACCELERATION } },
    { "microampere", "µA", T(CurrentUnit), ALL, { 1e-06, 0, CURRENT } },
    { "microfarad", "µF", T(CapacitanceUnit), ALL, { 1e-06, 0, CAPACITANCE } },
    { "microgram", "µg", T(MassUnit), ALL, { 1e-9, 0, MASS } },
    { "microgramPerCubicMetre", "µg/m³", T(DensityUnit), EXT, { 1e-9, 0, DENSITY } },
    { "microgray", "µGy", T(IonizingRadiationDoseUnit), EXT, { 1e-06, 0, DOSE } },
    { "microhenry", "µH", T(InductanceUnit), ALL, { 1e-06, 0, INDUCTANCE } },
    { "micrometre", "µm", T(LengthUnit), ALL, { 1e-6, 0, LENGTH } },
    { "microsecond", "µs", T(TimeUnit), ALL, { 1e-6, 0, TIME } },
    { "microsievert", "µSv", T(IonizingRadiationDoseUnit), EXT, { 1e-06, 0, DOSE } },
    { "microvolt", "µV", T(VoltageUnit), ALL, { 1e-06, 0, VOLTAGE } },
    { "microwatt", "µW", T(PowerUnit), ALL, { 1e-06, 0, POWER } },
    { "mile", "mi", T(LengthUnit), ALL, { 1609.344, 0, LENGTH } },
    { "milePerHour", "mph", T(VelocityUnit), ALL, { 0.44704, 0, VELOCITY } },
    { "milePerSecond", "mi/s", T(VelocityUnit), ALL, { 1609.344, 0, VELOCITY } },
    { "milliampere", "mA", T(CurrentUnit), ALL, { 0.001, 0, CURRENT } },
    { "milliampereHour", "mAh", T(ChargeUnit), EXT, { 3.6, 0, CHARGE } },
    { "millibar", "mbar", T(PressureUnit), ALL, { 1e2, 0, PRESSURE } },
    { "millifarad", "mF", T(CapacitanceUnit), ALL, { 0.001, 0, CAPACITANCE } },
    { "milligram", "mg", T(MassUnit), ALL, { 1e-6, 0, MASS } },
    { "milligramPerCubicMetre", "mg/m³", T(DensityUnit), EXT, { 1e-6, 0, DENSITY } },
    { "milligray", "mGy", T(IonizingRadiationDoseUnit), EXT, { 0.001, 0, DOSE } },
    { "millihenry", "mH", T(InductanceUnit), ALL, { 0.001, 0, INDUCTANCE } },
    { "millihertz", "mHz", T(FrequencyUnit), EXT, { 0.001, 0, PER_TIME } },
    { "millilitre", "mL", T(VolumeUnit), ALL, { 1e-6, 0, VOLUME } },
    { "millilitrePerHour", "mL/h", T(VolumeFlowRateUnit), ALL, { 1e-6 / 3600, 0, VOLUME_FLOW } },
    { "millilitrePerMinute", "mL/min", T(VolumeFlowRateUnit), EXT, { 1e-6 / 60, 0, VOLUME_FLOW } },
    { "millilitrePerSecond", "mL/s", T(VolumeFlowRateUnit), ALL, { 1e-6, 0, VOLUME_FLOW } },
    { "millimetre", "mm", T(LengthUnit), ALL, { 1e-3, 0, LENGTH } },
    { "millimetrePerSecond", "mm/s", T(VelocityUnit), EXT3, { 1e-3, 0, VELOCITY } },
    { "millimetrePerSecondSquared", "mm/s²", T(AccelerationUnit), EXT3, { 1e-3, 0, ACCELERATION } },
    { "millimetresOfMercury", "mmHg", T(PressureUnit), ALL, { 133.322387415, 0, PRESSURE } },
    { "milliohm", "mΩ", T(ResistanceUnit), ALL, { 0.001, 0, RESISTANCE } },
    { "millipascalSecond", "mPa·s", T(DynamicViscosityUnit), EXT3, { 1e-3, 0, DYNAMIC_VISCOSITY } },
    { "millipoise", "mP", T(DynamicViscosityUnit), EXT3, { 1e-4, 0, DYNAMIC_VISCOSITY } },
    { "millisecond", "ms", T(TimeUnit), ALL, { 1e-3, 0, TIME } },
    { "millisievert", "mSv", T(IonizingRadiationDoseUnit), EXT, { 0.001, 0, DOSE } },
    { "millivolt", "mV", T(VoltageUnit), ALL, { 0.001, 0, VOLTAGE } },
    { "millivoltAmpere", "mVA", T(ApparentPowerUnit), EXT, { 0.001, 0, POWER } },
    { "millivoltAmpereHour", "mVAh", T(ApparentEnergyUnit), EXT3, { 3.6, 0, ENERGY } },
    { "millivoltAmpereReactive", "mvar", T(ReactivePowerUnit), EXT, { 0.001, 0, POWER } },
    { "milliwatt", "mW", T(PowerUnit), ALL, { 0.001, 0, POWER } },
    { "milliwattHour", "mWh", T(EnergyUnit), EXT, { 3.6, 0, ENERGY } },
    { "minute", "min", T(TimeUnit), ALL, { 60, 0, TIME } },
    { "minuteOfArc", "′", T(AngleUnit), ALL, { PI / 10800, 0, ANGLE } },
    { "nanoampere", "nA", T(CurrentUnit), EXT3, { 1e-9, 0, CURRENT } },
    { "nanofarad", "nF", T(CapacitanceUnit), ALL, { 1e-09, 0, CAPACITANCE } },
    { "nanometre", "nm", T(LengthUnit), ALL, { 1e-9, 0, LENGTH } },
    { "nanosecond", "ns", T(TimeUnit), ALL, { 1e-9, 0, TIME } },
    { "nauticalMile", "nmi", T(LengthUnit), ALL, { 1852, 0, LENGTH } },
    { "newton", "N", T(ForceUnit), ALL, { 1, 0, FORCE } },
    { "newtonMetre", "N·m", T(TorqueUnit), ALL, { 1, 0, ENERGY } },
    { "ohm", "Ω", T(ResistanceUnit), ALL, { 1, 0, RESISTANCE } },
    { "ounce", "ozf", T(ForceUnit), ALL, { 4.4482216152605 / 16, 0, FORCE } },
    { "partsPerBillion", "ppb", T(Unitless), EXT, { 1e-9, 0, NONE } },
    { "partsPerMillion", "ppm", T(Unitless), EXT, { 1e-6, 0, NONE } },
    { "partsPerQuadrillion", "ppq", T(Unitless), EXT, { 1e-15, 0, NONE } },
    { "partsPerTrillion", "ppt", T(Unitless), EXT, { 1e-12, 0, NONE } },
    { "pascal", "Pa", T(PressureUnit), ALL, { 1, 0, PRESSURE } },
    { "pascalCubicMetrePerSecond", "Pa·m³/s", T(GasLeakageRateUnit), EXT3, { 1, 0, POWER } },
    { "pascalSecond", "Pa·s", T(DynamicViscosityUnit), EXT3, { 1, 0, DYNAMIC_VISCOSITY } },
    { "percent", "%", T(Unitless), ALL, { 0.01, 0, NONE } },
    { "picoampere", "pA", T(CurrentUnit), EXT3, { 1e-12, 0, CURRENT } },
    { "picofarad", "pF", T(CapacitanceUnit), ALL, { 1e-12, 0, CAPACITANCE } },
    { "poise", "P", T(DynamicViscosityUnit), EXT3, { 0.1, 0, DYNAMIC_VISCOSITY } },
    { "pound", "lbf", T(ForceUnit), ALL, { 4.4482216152605, 0, FORCE } },
    { "poundPerSquareInch", "psi", T(PressureUnit), ALL, { 6894.757293168361, 0, PRESSURE } },
    { "radian", "rad", T(AngleUnit), ALL, { 1, 0, ANGLE } },
    { "radianPerSecond", "rad/s", T(AngularVelocityUnit), ALL, { 1, 0, ANGULAR_VELOCITY } },
    { "radianPerSecondSquared", "rad/s²", T(AngularAccelerationUnit), ALL, { 1, 0, ANGULAR_ACCELERATION } },
    { "reciprocalCentimetre", "cm⁻¹", T(ReciprocalLengthUnit), EXT3, { 1e2, 0, PER_LENGTH } },
    { "reciprocalKilometre", "km⁻¹", T(ReciprocalLengthUnit), EXT3, { 1e-3, 0, PER_LENGTH } },
    { "reciprocalMetre", "m⁻¹", T(ReciprocalLengthUnit), EXT3, { 1, 0, PER_LENGTH } },
    { "reciprocalMicrometre", "µm⁻¹", T(ReciprocalLengthUnit), EXT3, { 1e6, 0, PER_LENGTH } },
    { "reciprocalMillimetre", "mm⁻¹", T(ReciprocalLengthUnit), EXT3, { 1e3, 0, PER_LENGTH } },
    { "reciprocalMinute", "min⁻¹", T(ReciprocalTimeUnit), EXT3, { 1.0 / 60, 0, PER_TIME } },
    { "reciprocalNanometre", "nm⁻¹", T(ReciprocalLengthUnit), EXT3, { 1e9, 0, PER_LENGTH } },
    { "reciprocalSecond", "s⁻¹", T(ReciprocalTimeUnit), EXT3, { 1, 0, PER_TIME } },
    { "revolutionPerMinute", "rpm", T(AngularVelocityUnit), ALL, { 2 * PI / 60, 0, ANGULAR_VELOCITY } },
    { "revolutionPerSecond", "rps", T(AngularVelocityUnit), ALL, { 2 * PI, 0, ANGULAR_VELOCITY } },
    { "second", "s", T(TimeUnit), ALL, { 1, 0, TIME } },
    { "secondOfArc", "″", T(AngleUnit), ALL, { PI / 648000, 0, ANGLE } },
    { "sievert", "Sv", T(IonizingRadiationDoseUnit), EXT, { 1, 0, DOSE } },
    { "slug", "slug", T(MassUnit), ALL, { 14.593902937206364, 0, MASS } },
    { "squareCentimetre", "cm²", T(AreaUnit), ALL, { 1e-4, 0, AREA } },
    { "squareFoot", "ft²", T(AreaUnit), ALL, { 0.09290304, 0, AREA } },
    { "squareInch", "in²", T(AreaUnit), ALL, { 6.4516e-4, 0, AREA } },
    { "squareKilometre", "km²", T(AreaUnit), ALL, { 1e6, 0, AREA } },
    { "squareMetre", "m²", T(AreaUnit), ALL, { 1, 0, AREA } },
    { "squareMetrePerSecond", "m²/s", T(KinematicViscosityUnit), EXT3, { 1, 0, KINEMATIC_VISCOSITY } },
    { "squareMillimetre", "mm²", T(AreaUnit), ALL, { 1e-6, 0, AREA } },
    { "stokes", "St", T(KinematicViscosityUnit), EXT3, { 1e-4, 0, KINEMATIC_VISCOSITY } },
    { "tebibit", "Tibit", T(DataSizeUnit), ALL, { 0x1p40, 0, DATA } },
    { "tebibitPerSecond", "Tibit/s", T(DataRateUnit), ALL, { 0x1p40, 0, DATA_RATE } },
    { "tebibyte", "TiB", T(DataSizeUnit), ALL, { 0x1p43, 0, DATA } },
    { "tebibytePerSecond", "TiB/s", T(DataRateUnit), ALL, { 0x1p43, 0, DATA_RATE } },
    { "terawattHour", "TWh", T(EnergyUnit), EXT, { 3.6e15, 0, ENERGY } },
    { "tesla", "T", T(MagneticInductionUnit), ALL, { 1, 0, INDUCTION } },
    { "ton", "tonf", T(ForceUnit), ALL, { 2000 * 4.4482216152605, 0, FORCE } },
    { "tonOfRefrigeration", "TR", T(PowerUnit), EXT, { 12000 * 1055.05585262 / 3600, 0, POWER } },
    { "tonne", "t", T(MassUnit), ALL, { 1e3, 0, MASS } },
    { "turn", "turn", T(AngleUnit), ALL, { 2 * PI, 0, ANGLE } },
    { "unity", "", T(Unitless), ALL, { 1, 0, NONE } },
    { "volt", "V", T(VoltageUnit), ALL, { 1, 0, VOLTAGE } },
    { "voltAmpere", "VA", T(ApparentPowerUnit), EXT, { 1, 0, POWER } },
    { "voltAmpereHour", "VAh", T(ApparentEnergyUnit), EXT, { 3600, 0, ENERGY } },
    { "voltAmpereReactive", "var", T(ReactivePowerUnit), EXT, { 1, 0, POWER } },
    { "voltAmpereReactiveHour", "varh", T(ReactiveEnergyUnit), EXT, { 3600, 0, ENERGY } },
    { "watt", "W", T(PowerUnit), ALL, { 1, 0, POWER } },
    { "wattHour", "Wh", T(EnergyUnit), EXT, { 3600, 0, ENERGY } },
    { "wattPerSquareMetre", "W/m²", T(IrradianceUnit), EXT, { 1, 0, IRRADIANCE } },
    { "weber", "Wb", T(MagneticFluxUnit), ALL, { 1, 0, MAGNETIC_FLUX } },
    { "year", "yr", T(TimeUnit), ALL, { 31557600, 0, TIME } },
    { "yobibit", "Yibit", T(DataSizeUnit), ALL, { 0x1p80, 0, DATA } },
    { "yobibitPerSecond", "Yibit/s", T(DataRateUnit), ALL, { 0x1p80, 0, DATA_RATE } },
    { "yobibyte", "YiB", T(DataSizeUnit), ALL, { 0x1p83, 0, DATA } },
    { "yobibytePerSecond", "YiB/s", T(DataRateUnit), ALL, { 0x1p83, 0, DATA_RATE } },
    { "zebibit", "Zibit", T(DataSizeUnit), ALL, { 0x1p70, 0, DATA } },
    { "zebibitPerSecond", "Zibit/s", T(DataRateUnit), ALL, { 0x1p70, 0, DATA_RATE } },
    { "zebibyte", "ZiB", T(DataSizeUnit), ALL, { 0x1p73, 0, DATA } },
    { "zebibytePerSecond", "ZiB/s", T(DataRateUnit), ALL, { 0x1p73, 0, DATA_RATE } },
};

static const gm_quantity quantities[] = {
    { "Acceleration", T(AccelerationUnit), ALL },
    { "Angle", T(AngleUnit), ALL },
    { "AngularAcceleration", T(AngularAccelerationUnit), ALL },
    { "AngularVelocity", T(AngularVelocityUnit), ALL },
    { "ApparentEnergy", T(ApparentEnergyUnit), EXT },
    { "ApparentPower", T(ApparentPowerUnit), EXT },
    { "Area", T(AreaUnit), ALL },
    { "Capacitance", T(CapacitanceUnit), ALL },
    { "Concentration", T(Unitless), EXT },
    { "Current", T(CurrentUnit), ALL },
    { "DataRate", T(DataRateUnit), ALL },
    { "DataSize", T(DataSizeUnit), ALL },
    { "Density", T(DensityUnit), ALL },
    { "Distance", T(LengthUnit), ALL },
    { "DynamicViscosity", T(DynamicViscosityUnit), EXT3 },
    { "Efficiency", T(Unitless), EXT3 },
    { "ElectricCharge", T(ChargeUnit), ALL },
    { "Energy", T(EnergyUnit), ALL },
    { "EnergyRate", T(PowerUnit), EXT },
    { "Force", T(ForceUnit), ALL },
    { "Frequency", T(FrequencyUnit), ALL },
    { "GasLeakageRate", T(GasLeakageRateUnit), EXT3 },
    { "Humidity", T(DensityUnit), ALL },
    { "Illuminance", T(IlluminanceUnit), ALL },
    { "Inductance", T(InductanceUnit), ALL },
    { "IonizingRadiationDose", T(IonizingRadiationDoseUnit), EXT },
    { "Irradiance", T(IrradianceUnit), EXT },
    { "KinematicViscosity", T(KinematicViscosityUnit), EXT3 },
    { "Latitude", T(AngleUnit), ALL },
    { "Length", T(LengthUnit), ALL },
    { "Longitude", T(AngleUnit), ALL },
    { "Luminance", T(LuminanceUnit), ALL },
    { "Luminosity", T(PowerUnit), ALL },
    { "LuminousFlux", T(LuminousFluxUnit), ALL },
    { "LuminousIntensity", T(LuminousIntensityUnit), ALL },
    { "MagneticFlux", T(MagneticFluxUnit), ALL },
    { "MagneticInduction", T(MagneticInductionUnit), ALL },
    { "Mass", T(MassUnit), ALL },
    { "MassFlowRate", T(MassFlowRateUnit), ALL },
    { "Power", T(PowerUnit), ALL },
    { "Pressure", T(PressureUnit), ALL },
    { "Radioactivity", T(RadioactivityUnit), EXT },
    { "ReactiveEnergy", T(ReactiveEnergyUnit), EXT },
    { "ReactivePower", T(ReactivePowerUnit), EXT },
    { "ReciprocalLength", T(ReciprocalLengthUnit), EXT3 },
    { "ReciprocalTime", T(ReciprocalTimeUnit), EXT3 },
    { "RelativeDensity", T(Unitless), EXT },
    { "RelativeHumidity", T(Unitless), ALL },
    { "RelativeMeasure", T(Unitless), EXT3 },
    { "Resistance", T(ResistanceUnit), ALL },
    { "Scale", T(Unitless), EXT3 },
    { "SoundPressure", T(SoundPressureUnit), ALL },
    { "Temperature", T(TemperatureUnit), ALL },
    { "Throttle", T(Unitless), EXT3 },
    { "Thrust", T(ForceUnit), ALL },
    { "TimeSpan", T(TimeUnit), ALL },
    { "Torque", T(TorqueUnit), ALL },
    { "Velocity", T(VelocityUnit), ALL },
    { "Voltage", T(VoltageUnit), ALL },
    { "Volume", T(VolumeUnit), ALL },
    { "VolumeFlowRate", T(VolumeFlowRateUnit), ALL },
};

enum { UNIT_COUNT = sizeof units / sizeof units[0], QUANTITY_COUNT = sizeof quantities / sizeof quantities[0] };

// The row whose first member, a name, is `name`; NULL when there is none.
static const void *search(const void *rows, size_t count, size_t size, gm_str name)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t      middle = low + (high - low) / 2;
        const char *row    = (const char *)rows + middle * size;
        int         order  = gm_str_cmp(name, gm_str_of(*(const char *const *)(const void *)row));
        if (order == 0) return row;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}

const gm_named_unit *gm_quantity_unit(gm_str name, unsigned vocabularies)
{
    const gm_named_unit *unit = search(units, UNIT_COUNT, sizeof units[0], name);
    return unit != NULL && (unit->vocabularies & vocabularies) != 0 ? unit : NULL;
}

const gm_quantity *gm_quantity_find(gm_str name, unsigned vocabularies)
{
    const gm_quantity *quantity = search(quantities, QUANTITY_COUNT, sizeof quantities[0], name);
    return quantity != NULL && (quantity->vocabularies & vocabularies) != 0 ? quantity : NULL;
}

const gm_unit_type *gm_quantity_unit_type(gm_str name, unsigned vocabularies)
{
    const gm_unit_type *type = search(unit_types, TYPE_COUNT, sizeof unit_types[0], name);
    return type != NULL && (type->vocabularies & vocabularies) != 0 ? type : NULL;
}

size_t gm_quantity_unit_count(void) { return UNIT_COUNT; }

const gm_named_unit *gm_quantity_unit_at(size_t i)
{
    assert(i < UNIT_COUNT);
    return &units[i];
}
