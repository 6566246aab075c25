connector C Real p; flow Real f; end C; model M C c; equation
  connect(c, c);
end M;