connector S Real p; flow Real m; stream Real h; end S; model M
  S s;
end M;