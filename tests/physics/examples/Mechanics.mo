// Turning and sliding masses with known answers; dry friction as an automaton of the modes stuck, forward and backward.
package Mechanics
  partial block DryFriction "the force f against the velocity v of a contact that can stick"
    parameter Real f0 = 1 "when it breaks loose and when it begins to slide";
    parameter Real viscous = 0 "per velocity";
    Real v, a, f, load = 1 "load: 0 = no contact";
    Real s "acceleration while sliding, force while stuck";
    Boolean forward(start = false, fixed = true), backward(start = false, fixed = true), stuck(start = false);
    Integer mode(start = 3, fixed = true, min = -1, max = 3) "1 forward, 0 stuck, -1 backward, 3 not known yet";
  protected
    Real limit = f0*load;
  equation
    forward = pre(mode) == 0 and (s > limit or pre(forward) and s > limit) or pre(mode) == -1 and v > 1e-8 or
      initial() and v > 0;
    backward = pre(mode) == 0 and (s < -limit or pre(backward) and s < -limit) or pre(mode) == 1 and v < -1e-8 or
      initial() and v < 0;
    stuck = not (pre(mode) == 1 or forward or pre(mode) == -1 or backward);
    a = if stuck then 0 elseif forward then s - limit elseif backward then s + limit
      elseif pre(mode) == 1 then s - limit else s + limit;
    f = if stuck then s elseif forward then limit + viscous*load*v elseif backward then -limit + viscous*load*v
      elseif pre(mode) == 1 then limit + viscous*load*v else -limit + viscous*load*v;
    mode = if (pre(mode) == 1 or forward) and v > 0 then 1 elseif (pre(mode) == -1 or backward) and v < 0 then -1 else 0;
  end DryFriction;

  package Rotational
    connector Flange
      Real phi(unit = "rad");
      flow Real tau(unit = "N.m");
    end Flange;

    partial model TwoFlanges
      Flange a, b;
    end TwoFlanges;

    model Inertia
      extends TwoFlanges;
      parameter Real J(unit = "kg.m2") = 1;
      Real phi(unit = "rad", stateSelect = StateSelect.prefer), w(unit = "rad/s", stateSelect = StateSelect.prefer);
      Real acc(unit = "rad/s2");
    equation
      phi = a.phi;
      phi = b.phi;
      w = der(phi);
      acc = der(w);
      J*acc = a.tau + b.tau;
    end Inertia;

    model IdealGear
      extends TwoFlanges;
      parameter Real ratio = 1;
    equation
      a.phi = ratio*b.phi;
      0 = ratio*a.tau + b.tau;
    end IdealGear;

    model SpringDamper
      extends TwoFlanges;
      parameter Real c(unit = "N.m/rad") = 1, d(unit = "N.m.s/rad") = 0;
      Real phi_rel(unit = "rad", start = 0), w_rel(unit = "rad/s");
    equation
      phi_rel = b.phi - a.phi;
      w_rel = der(phi_rel);
      b.tau = c*phi_rel + d*w_rel;
      a.tau + b.tau = 0;
    end SpringDamper;

    model Fixed
      Flange flange;
    equation
      flange.phi = 0;
    end Fixed;

    model Torque
      Flange flange;
      Real tau(unit = "N.m");
    equation
      flange.tau = -tau;
    end Torque;

    model BearingFriction
      Flange flange;
      extends DryFriction;
    equation
      v = der(flange.phi);
      a = der(v);
      flange.tau = f;
    end BearingFriction;

    model Clutch
      Flange p, q;
      extends DryFriction;
      Real phi_rel(unit = "rad", start = 0);
    equation
      phi_rel = q.phi - p.phi;
      v = der(phi_rel);
      a = der(v);
      q.tau = f;
      p.tau + q.tau = 0;
    end Clutch;

    model First "a motor drives two inertias with a spring between them through a gear"
      parameter Real amplitude(unit = "N.m") = 10;
      Torque motor(tau = amplitude*sin(2*Modelica.Constants.pi*5*time));
      Inertia inertia1(J = 0.1, phi(start = 0, fixed = true), w(start = 0, fixed = true)), inertia2(J = 2);
      Inertia inertia3(J = 2, phi(start = 0, fixed = true), w(start = 0, fixed = true));
      IdealGear gear(ratio = 10);
      SpringDamper spring(c = 1e4), damper(c = 0, d = 10);
      Fixed ground;
    equation
      connect(motor.flange, inertia1.a);
      connect(inertia1.b, gear.a);
      connect(gear.b, inertia2.a);
      connect(inertia2.b, spring.a);
      connect(spring.b, inertia3.a);
      connect(damper.a, ground.flange);
      connect(damper.b, inertia3.b);
    end First;

    model Braked "a flywheel on a spring comes to rest by dry friction"
      Inertia wheel(J = 2, phi(start = 0, fixed = true), w(start = 8, fixed = true));
      SpringDamper spring(c = 20);
      BearingFriction bearing(f0 = 3, viscous = 0.2);
      Fixed ground;
    equation
      connect(ground.flange, spring.a);
      connect(spring.b, wheel.a);
      connect(wheel.b, bearing.flange);
    end Braked;

    model Coupled "a clutch brings a load up to speed, holds, and slips again when the drive pulls too hard"
      Torque drive(tau = if time < 4 then 2 else 12);
      Inertia motor(J = 1, phi(start = 0, fixed = true), w(start = 10, fixed = true));
      Inertia driven(J = 3, phi(start = 0, fixed = true), w(start = 0, fixed = true));
      Clutch clutch(f0 = 6, load = if time < 1 then 0 else 1);
    equation
      connect(drive.flange, motor.a);
      connect(motor.b, clutch.p);
      connect(clutch.q, driven.a);
    end Coupled;
  end Rotational;

  package Translational
    connector Flange
      Real s(unit = "m");
      flow Real f(unit = "N");
    end Flange;

    model Mass
      Flange a, b;
      parameter Real m(unit = "kg") = 1;
      Real s(unit = "m", stateSelect = StateSelect.prefer), v(unit = "m/s", stateSelect = StateSelect.prefer);
      Real acc(unit = "m/s2");
    equation
      s = a.s;
      s = b.s;
      v = der(s);
      acc = der(v);
      m*acc = a.f + b.f;
    end Mass;

    model Force
      Flange flange;
      Real f(unit = "N");
    equation
      flange.f = -f;
    end Force;

    model Fixed
      Flange flange;
    equation
      flange.s = 0;
    end Fixed;

    model SpringDamper
      Flange a, b;
      parameter Real c(unit = "N/m") = 1, d(unit = "N.s/m") = 0;
      Real s_rel(unit = "m") = b.s - a.s, v_rel(unit = "m/s") = der(s_rel);
    equation
      b.f = c*s_rel + d*v_rel;
      a.f + b.f = 0;
    end SpringDamper;

    model ElastoGap "a spring and damper that only push, and only when touched"
      Flange a, b;
      parameter Real c(unit = "N/m") = 1, d(unit = "N.s/m") = 0;
      Real s_rel(unit = "m") = b.s - a.s, v_rel(unit = "m/s") = der(s_rel);
      Boolean contact = s_rel < 0;
      Real push(unit = "N") = if contact then -c*s_rel - d*v_rel else 0;
    equation
      b.f = if noEvent(push > 0) then -push else 0;
      a.f + b.f = 0;
    end ElastoGap;

    model Accelerated "moves as told, whatever force that takes"
      Flange flange;
      Real acc(unit = "m/s2");
      Real v(unit = "m/s", start = 0, fixed = true), s(unit = "m", start = 0, fixed = true);
    equation
      s = flange.s;
      v = der(s);
      acc = der(v);
    end Accelerated;

    model SlidingFriction
      Flange flange;
      extends DryFriction;
    equation
      v = der(flange.s);
      a = der(v);
      flange.f = f;
    end SlidingFriction;

    model SignConvention "the same push from both sides, and twice from one"
      Mass mass1(s(start = 0, fixed = true), v(start = 0, fixed = true)), mass2(s(start = 0, fixed = true), v(start = 0, fixed = true));
      Mass mass3(s(start = 0, fixed = true), v(start = 0, fixed = true));
      Force force1(f = 1), force2(f = 1), force3(f = 1), force4(f = -1);
    equation
      connect(force1.flange, mass1.b);
      connect(force2.flange, mass2.a);
      connect(force3.flange, mass3.a);
      connect(force4.flange, mass3.b);
    end SignConvention;

    model Oscillator "two masses on springs, one of them damped, shaken at the frequency of the other"
      parameter Real amplitude(unit = "N") = 1;
      Force force1(f = amplitude*sin(100*time)), force2(f = amplitude*sin(100*time));
      Mass mass1(m = 1, s(start = -0.5, fixed = true), v(start = 0, fixed = true));
      Mass mass2(m = 1, s(start = -0.5, fixed = true), v(start = 0, fixed = true));
      SpringDamper spring1(c = 1e4), spring2(c = 1e4, d = 10);
      Fixed fixed1, fixed2;
    equation
      connect(fixed1.flange, spring1.a);
      connect(spring1.b, mass1.a);
      connect(mass1.b, force1.flange);
      connect(fixed2.flange, spring2.a);
      connect(spring2.b, mass2.a);
      connect(mass2.b, force2.flange);
    end Oscillator;

    model Accelerate "the force at a mass whose motion is given"
      Accelerated source(acc = 1 + time);
      Mass mass1(m = 2), mass2(m = 3);
    equation
      connect(source.flange, mass1.a);
      connect(mass1.b, mass2.a);
    end Accelerate;

    model Bumper "a mass runs into a spring and damper, and leaves it slower"
      Mass mass(m = 1, s(start = -1, fixed = true), v(start = 2, fixed = true));
      ElastoGap gap(c = 400, d = 4);
      Fixed wall;
    equation
      connect(mass.b, gap.a);
      connect(gap.b, wall.flange);
    end Bumper;

    model StickSlip "a mass is drawn over a rough floor by a spring whose other end moves to and fro"
      parameter Real swing(unit = "m/s2") = -2;
      Accelerated puller(acc = swing*sin(2*time), v(start = 1));
      SpringDamper spring(c = 10);
      Mass mass(m = 1, s(start = 0, fixed = true), v(start = 0, fixed = true));
      SlidingFriction floor_(f0 = 2);
    equation
      connect(mass.b, spring.a);
      connect(spring.b, puller.flange);
      connect(mass.a, floor_.flange);
    end StickSlip;
  end Translational;
end Mechanics;
