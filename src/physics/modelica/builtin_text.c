// What models expect to find without a text of their own: types with units, constants, our table functions.
// Values of constants: CODATA 2018 (NIST), exact ones by the SI of 2019.
#include "physics/modelica/library.h"

#define TYPE(name, unit) "type " name " = Real(final quantity=\"" name "\", final unit=\"" unit "\");\n"
#define SHOWN(name, unit, shown)                                                                                      \
    "type " name " = Real(final quantity=\"" name "\", final unit=\"" unit "\", displayUnit=\"" shown "\");\n"
#define FUNCTION1(name) "function " name " input Real u; output Real y; external \"builtin\"; end " name ";\n"
#define FUNCTION2(name)                                                                                               \
    "function " name " input Real u1; input Real u2; output Real y; external \"builtin\"; end " name ";\n"

#define UNITS                                                                                                         \
    SHOWN("Angle", "rad", "deg") TYPE("SolidAngle", "sr") TYPE("Length", "m") TYPE("Position", "m")                   \
    TYPE("Distance", "m") TYPE("Breadth", "m") TYPE("Height", "m") TYPE("Thickness", "m") TYPE("Radius", "m")         \
    TYPE("Diameter", "m") TYPE("Area", "m2") TYPE("Volume", "m3") TYPE("Time", "s") TYPE("Duration", "s")             \
    SHOWN("AngularVelocity", "rad/s", "rpm") TYPE("AngularAcceleration", "rad/s2") TYPE("Velocity", "m/s")            \
    TYPE("Acceleration", "m/s2") TYPE("Period", "s") TYPE("Frequency", "Hz") TYPE("AngularFrequency", "rad/s")        \
    TYPE("DampingCoefficient", "s-1") TYPE("Mass", "kg") TYPE("Density", "kg/m3") TYPE("SpecificVolume", "m3/kg")     \
    TYPE("Momentum", "kg.m/s") TYPE("Inertia", "kg.m2") TYPE("MomentOfInertia", "kg.m2") TYPE("Force", "N")           \
    TYPE("Torque", "N.m") TYPE("Impulse", "N.s") TYPE("TranslationalSpringConstant", "N/m")                           \
    TYPE("TranslationalDampingConstant", "N.s/m") TYPE("RotationalSpringConstant", "N.m/rad")                         \
    TYPE("RotationalDampingConstant", "N.m.s/rad") SHOWN("Pressure", "Pa", "bar")                                     \
    SHOWN("AbsolutePressure", "Pa", "bar") SHOWN("PressureDifference", "Pa", "bar") TYPE("Stress", "Pa")              \
    TYPE("DynamicViscosity", "Pa.s") TYPE("KinematicViscosity", "m2/s") TYPE("Work", "J") TYPE("Energy", "J")         \
    TYPE("Power", "W") TYPE("EnergyFlowRate", "W") TYPE("EnthalpyFlowRate", "W") TYPE("Efficiency", "1")              \
    TYPE("MassFlowRate", "kg/s") TYPE("VolumeFlowRate", "m3/s") SHOWN("Temperature", "K", "degC")                     \
    SHOWN("ThermodynamicTemperature", "K", "degC") TYPE("TemperatureDifference", "K")                                 \
    TYPE("TemperatureSlope", "K/s") TYPE("LinearExpansionCoefficient", "1/K") TYPE("Heat", "J")                       \
    TYPE("HeatFlowRate", "W") TYPE("HeatFlux", "W/m2") TYPE("ThermalConductivity", "W/(m.K)")                         \
    TYPE("CoefficientOfHeatTransfer", "W/(m2.K)") TYPE("SurfaceCoefficientOfHeatTransfer", "W/(m2.K)")                \
    TYPE("ThermalInsulance", "m2.K/W") TYPE("ThermalResistance", "K/W") TYPE("ThermalConductance", "W/K")             \
    TYPE("ThermalDiffusivity", "m2/s") TYPE("HeatCapacity", "J/K") TYPE("SpecificHeatCapacity", "J/(kg.K)")           \
    TYPE("Entropy", "J/K") TYPE("SpecificEntropy", "J/(kg.K)") TYPE("SpecificEnergy", "J/kg")                         \
    TYPE("SpecificEnthalpy", "J/kg") TYPE("SpecificInternalEnergy", "J/kg") TYPE("Irradiance", "W/m2")                \
    TYPE("Emissivity", "1") TYPE("ElectricCurrent", "A") TYPE("Current", "A") TYPE("ElectricCharge", "C")             \
    TYPE("Charge", "C") TYPE("ElectricPotential", "V") TYPE("Voltage", "V") TYPE("PotentialDifference", "V")          \
    TYPE("Capacitance", "F") TYPE("Inductance", "H") TYPE("Resistance", "Ohm") TYPE("Impedance", "Ohm")               \
    TYPE("Conductance", "S") TYPE("Resistivity", "Ohm.m") TYPE("Conductivity", "S/m")                                 \
    TYPE("ElectricalTorqueConstant", "N.m/A") TYPE("MagneticFlux", "Wb") TYPE("MagneticFluxDensity", "T")             \
    TYPE("ApparentPower", "V.A") TYPE("ReactivePower", "var") TYPE("LuminousFlux", "lm") TYPE("Illuminance", "lx")    \
    TYPE("MolarMass", "kg/mol") TYPE("AmountOfSubstance", "mol") TYPE("Concentration", "mol/m3")                      \
    TYPE("MassFraction", "1") TYPE("MoleFraction", "1") TYPE("MolarFlowRate", "mol/s") TYPE("ReynoldsNumber", "1")    \
    TYPE("NusseltNumber", "1") TYPE("PrandtlNumber", "1") TYPE("LossCoefficient", "1") TYPE("RelativeHumidity", "1")

const char gm_modelica_builtin_text[] =
    "type StateSelect = enumeration(never, avoid, default, prefer, always);\n"
    "type AssertionLevel = enumeration(error, warning);\n"
    "package Modelica\n"
    "package Constants\n"
    "constant Real e = 2.718281828459045; constant Real pi = 3.141592653589793; "
    "constant Real D2R(unit=\"rad/deg\") = pi/180;\n"
    "constant Real R2D(unit=\"deg/rad\") = 180/pi; constant Real eps = 2.220446049250313e-16; "
    "constant Real small = 1e-60;\n"
    "constant Real inf = 1e60; constant Integer Integer_inf = 2147483647;\n"
    "constant Real c(final unit=\"m/s\") = 299792458; constant Real g_n(final unit=\"m/s2\") = 9.80665;\n"
    "constant Real G(final unit=\"m3/(kg.s2)\") = 6.67430e-11; "
    "constant Real F(final unit=\"C/mol\") = 96485.33212331;\n"
    "constant Real h(final unit=\"J.s\") = 6.62607015e-34; constant Real k(final unit=\"J/K\") = 1.380649e-23;\n"
    "constant Real R(final unit=\"J/(mol.K)\") = 8.314462618153241; "
    "constant Real sigma(final unit=\"W/(m2.K4)\") = 5.670374419e-8;\n"
    "constant Real N_A(final unit=\"1/mol\") = 6.02214076e23; "
    "constant Real mu_0(final unit=\"N/A2\") = 1.25663706212e-6;\n"
    "constant Real epsilon_0(final unit=\"F/m\") = 8.8541878128e-12; constant Real T_zero(final unit=\"K\") = 0;\n"
    "end Constants;\n"
    "package Units package SI\n" UNITS "end SI; end Units;\n"
    "package SIunits\n" UNITS "end SIunits;\n"
    ""
    "package Math\n" FUNCTION1("sin") FUNCTION1("cos") FUNCTION1("tan") FUNCTION1("asin") FUNCTION1("acos")
    FUNCTION1("atan") FUNCTION1("sinh") FUNCTION1("cosh") FUNCTION1("tanh") FUNCTION1("exp") FUNCTION1("log")
    FUNCTION1("log10") FUNCTION2("atan2")
    "end Math;\n"
    "end Modelica;\n"
    "package Gemel\n"
    "type Smooth = enumeration(linear, hold, akima);\n"
    "type Beyond = enumeration(hold, linear, periodic);\n"
    "function interp1 \"y(u) from a table\" input Real x[:]; input Real y[:]; input Real u; "
    "input Smooth smooth = Smooth.linear;\n"
    "input Beyond beyond = Beyond.hold; output Real v; external \"builtin\"; end interp1;\n"
    "function interp2 \"z(u, w) from a table\" input Real x[:]; input Real y[:]; input Real z[:, :]; "
    "input Real u; input Real w;\n"
    "input Beyond beyond = Beyond.hold; output Real v; external \"builtin\"; end interp2;\n"
    "end Gemel;\n";
