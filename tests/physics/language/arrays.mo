// Arrays: constructors, operators, functions and reductions (Modelica 3.6, chapter 10).

//--- constructors
//= z[2,3] 0 within 0
//= o[1,2] 1 within 0
//= f[2] 7 within 0
//= id[2,2] 1 within 0
//= id[1,2] 0 within 0
//= dg[3,3] 3 within 0
//= ls[3] 0.5 within 1e-15
//= r[3] 5 within 0
//= c[4] 16 within 0
//= m2[2,3] 23 within 0
model A
  Real z[2, 3] = zeros(2, 3);
  Real o[2, 2] = ones(2, 2);
  Real f[3] = fill(7.0, 3);
  Real id[2, 2] = identity(2);
  Real dg[3, 3] = diagonal({1, 2, 3});
  Real ls[5] = linspace(0, 1, 5);
  Real r[3] = 1:2:5;
  Real c[5] = {i^2 for i in 1:5};
  Real m2[2, 3] = {{10*i + j for j in 1:3} for i in 1:2};
end A;

//--- two iterators nest from the last
//= m[3,2] 23 within 0
//= s 18 within 0
model A
  Real m[3, 2] = {10*i + j for i in 1:2, j in 1:3};
  Real s = sum(i*j for i in 1:2, j in 1:3);
end A;

//--- matrix operators
//= d 32 within 1e-14
//= mv[2] 39 within 1e-14
//= vm[1] 46 within 1e-14
//= mm[2,1] 43 within 1e-14
//= tr[1,2] 3 within 0
//= e[2] 10 within 0
//= q[2] 2.5 within 0
//= p[2,2] 22 within 1e-12
//= n[1] -1 within 0
//= x[3] -3 within 1e-14
//= w[2] 4 within 0
model A
  Real a[3] = {1, 2, 3};
  Real b[3] = {4, 5, 6};
  Real M[2, 2] = [1, 2; 3, 4];
  Real d = a*b;
  Real mv[2] = M*{5, 6};
  Real vm[2] = {7, 13}*M;
  Real mm[2, 2] = M*[5, 6; 7, 8];
  Real tr[2, 2] = transpose(M);
  Real e[3] = a .* b;
  Real q[3] = b ./ a;
  Real p[2, 2] = M^2;
  Real n[3] = -a;
  Real x[3] = cross(a, b);
  Real w[3] = a.^2;
equation
  assert(abs(mm[2, 1] - 43) < 1e-9, "product");
end A;

//--- sums, products, least and greatest
//= s 10 within 0
//= p 24 within 0
//= mi 1 within 0
//= ma 4 within 0
//= rs 55 within 0
//= rp 120 within 0
//= rmi -4 within 0
//= rma 9 within 0
//= sq 2 within 0
model A
  parameter Real M[2, 2] = [1, 2; 3, 4];
  Real s = sum(M);
  Real p = product(M);
  Real mi = min(M);
  Real ma = max(M);
  Real rs = sum(i^2 for i in 1:5);
  Real rp = product(i for i in 1:5);
  Real rmi = min(i - 5 for i in 1:3);
  Real rma = max({1, 9, 4});
  Integer sq = size(M, 2);
end A;

//--- joining and shapes
//= c[4] 2 within 0
//= h[1,3] 5 within 0
//= v[3] 3 within 0
//= k 5 within 0
//= nd 2 within 0
//= g[3,2] 6 within 0
//= sy[2,1] 2 within 0
//= ou[2,1] 6 within 0
//= sk[1,2] -3 within 0
//= l 4 within 0
model A
  Real c[5] = cat(1, {1, 2, 3}, {2, 5});
  Real h[2, 3] = cat(2, [1, 2; 3, 4], [5; 6]);
  Real v[3] = vector([1; 2; 3]);
  Real k = scalar([5]);
  Integer nd = ndims([1, 2; 3, 4]);
  Real g[3, 2] = [1, 2; 3, 4; 5, 6];
  Real sy[2, 2] = symmetric([1, 2; 7, 3]);
  Real ou[2, 2] = outerProduct({2, 3}, {2, 5});
  Real sk[3, 3] = skew({1, 2, 3});
  Real l = c[end - 1 - 3 + 3 - 3 + 3 - 3] + h[end, 1];
end A;

//--- slices, colons, and ranges as subscripts
//= a[2] 4 within 0
//= b[2] 6 within 0
//= c[1] 7 within 0
//= d[2,1] 8 within 0
//= s 12 within 0
model A
  Real M[3, 3] = [1, 2, 3; 4, 5, 6; 7, 8, 9];
  Real a[3] = M[:, 1];
  Real b[2] = M[2, 2:3];
  Real c[2] = M[end, {1, 3}];
  Real d[2, 2] = M[2:3, 2:3];
  Real s = sum(M[:, 1]);
end A;

//--- equations between arrays, for loops over elements
//= stop 1
//= x[2] 0.135335283237 within 1e-6: exp(-2)
//= y[3] 6 within 0
//= T[3] 1.5 within 1e-5
model A
  parameter Integer n = 3;
  Real x[n](start = ones(n), each fixed = true);
  Real y[n];
  Real T[n](each start = 1.5, each fixed = true);
equation
  der(x) = -{i*x[i] for i in 1:n};
  for i in 1:n loop
    y[i] = 2*i;
  end for;
  der(T[1]) = T[2] - T[1];
  for i in 2:n - 1 loop
    der(T[i]) = T[i - 1] - 2*T[i] + T[i + 1];
  end for;
  der(T[n]) = T[n - 1] - T[n];
end A;

//--- functions of numbers go over arrays element by element
//= a[2] 0.909297426826 within 1e-11: sin(2)
//= b[1] 1 within 0
//= d[2] 8 within 0
model A
  function twice
    input Real x;
    output Real y;
  algorithm
    y := 2*x;
  end twice;
  Real a[2] = sin({1, 2});
  Real b[2] = abs({-1, 2});
  Real d[2] = twice({3, 4});
end A;

//--- arrays of components with each and without, sums over members
//= stop 1
//= c[2].x 2 within 1e-6
//= s 6 within 1e-6
//= g[2].x 4 within 1e-6
model A
  model C
    parameter Real k = 1;
    Real x(start = 0, fixed = true);
  equation
    der(x) = k;
  end C;
  C c[3](k = {1, 2, 3});
  C g[2](each k = 4);
  Real s = sum(c.x);
end A;

//--- connectors in arrays, whole arrays connected
//= i[1].p.i 0 within 0
//= r[2].a.i 2 within 1e-9
//= sum1 6 within 1e-9
model A
  connector Pin
    Real v;
    flow Real i;
  end Pin;
  model Resistor
    Pin a, b;
    parameter Real R = 1;
  equation
    a.v - b.v = R*a.i;
    a.i + b.i = 0;
  end Resistor;
  model Ground
    Pin p;
  equation
    p.v = 0;
  end Ground;
  model Source
    Pin p;
    parameter Real v = 2;
  equation
    p.v = v;
  end Source;
  Resistor r[3](each R = 1);
  Ground g;
  Source s;
  Source i[3];
  Ground dummy[3];
  Resistor q[3];
  Real sum1 = -s.p.i;
equation
  for k in 1:3 loop
    connect(s.p, r[k].a);
    connect(r[k].b, g.p);
  end for;
  connect(dummy.p, q.a);
  connect(dummy.p, q.b);
end A;

//--- records in arrays
//= m 11 within 0
//= y 5 within 0
model A
  record Point
    Real x, y;
  end Point;
  parameter Point ps[2] = {Point(1, 2), Point(x = 5, y = 6)};
  Point q = Point(3, 5);
  Real m = ps[2].x + ps[2].y;
  Real y = q.y;
end A;

//--- empty arrays
//= s 0 within 0
model A
  parameter Integer n = 0;
  Real x[n];
  Real s = sum(x);
equation
  for i in 1:n loop
    x[i] = i;
  end for;
end A;

//--- a polynomial by Horner in a function with an array of any size
//= y 31 within 1e-11: 2 * 8 + 3 * 4-2 + 5
model A
  function horner
    input Real c[:];
    input Real x;
    output Real y = 0;
  algorithm
    for i in 1:size(c, 1) loop
      y := y*x + c[i];
    end for;
  end horner;
  Real y = horner({2, 3, -1, 5}, 2);
end A;

//--- a function that returns an array and a local matrix
//= y[2] 9 within 1e-12
//= z[1] 3 within 0
model A
  function solve2
    input Real A[2, 2];
    input Real b[2];
    output Real x[2];
  protected
    Real det;
    Real B[2, 2];
  algorithm
    det := A[1, 1]*A[2, 2] - A[1, 2]*A[2, 1];
    B := [A[2, 2], -A[1, 2]; -A[2, 1], A[1, 1]]/det;
    x := B*b;
  end solve2;
  function split
    input Real v[:];
    output Real r[size(v, 1)];
    output Real s;
  algorithm
    for i in 1:size(v, 1) loop
      r[i] := v[size(v, 1) + 1 - i];
    end for;
    s := sum(v);
  end split;
  Real y[2] = [2, 0; 0, 3]*solve2([2, 0; 0, 1], {6, 3});
  Real z[3];
  Real t;
equation
  (z, t) = split({1, 2, 3});
end A;
