connector P Real p; flow Real q; end P;
model T P a; P b; parameter Real k(unit="m"); Real x; equation x = a.q; a.q + b.q = 0; a.q = k*(a.p - b.p);
annotation(__gemel(interface="dtmi:f:T;1", connect(to="b,a; x<-k;;"), fault(g="")));
end T;
