# Makes expected.csv, which the tests of this package read: a line a name and its numbers.
#
#	Rscript expected.R > expected.csv
#
# R 4 with the packages boot, coin and sandwich; each value names its command.
suppressMessages({library(boot); library(coin); library(sandwich)})
put <- function(name, v) cat(name, ",", paste(sprintf("%.17g", as.numeric(v)), collapse = ","), "\n", sep = "")

# BCa: the formulas of Efron and Tibshirani on samples of boot, and boot.ci beside them,
# which interpolates between samples on the normal scale.
x <- c(1.5, 2.25, 0.5, 9.75, 3, 4.5, 1, 0.25, 7.5, 2, 12.5, 3.75)
set.seed(1)
b <- boot(x, function(d, i) mean(d[i]), R = 999)
put("bca.x", x)
put("bca.samples", b$t)
t0 <- mean(x)
z0 <- qnorm((sum(b$t < t0) + sum(b$t == t0) / 2) / 999)
j <- sapply(seq_along(x), function(i) mean(x[-i]))
a <- sum((mean(j) - j)^3) / (6 * sum((mean(j) - j)^2)^1.5)
for (level in c(0.9, 0.95)) {
  z <- qnorm((1 - level) / 2)
  p <- pnorm(z0 + c(z0 + z, z0 - z) / (1 - a * c(z0 + z, z0 - z)))
  s <- sort(b$t)
  put(paste0("bca.", level), c(s[floor(1000 * p[1])], s[1000 - floor(1000 * (1 - p[2]))]))
  put(paste0("bca.boot.", level), boot.ci(b, conf = level, type = "bca")$bca[4:5])
}

# Clustered standard errors.
put("t.x", c(mean(x), sd(x) / sqrt(12), t.test(x, conf.level = 0.9)$conf.int, t.test(x, mu = 0)$p.value,
             t.test(x, mu = 2, alternative = "greater")$p.value))
y <- c(4, 5, 6, 1, 9, 7, 7.5, 3, 2, 2.5, 8, 6)
g <- c(0, 0, 0, 1, 2, 2, 2, 2, 3, 3, 5, 5)
fit <- lm(y ~ 1)
put("cr1.y", y); put("cr1.group", g)
put("cr1.mean_se", c(coef(fit), sqrt(vcovCL(fit, cluster = g, type = "HC1"))))

# Sign flips: all patterns at once, and coin's exact symmetry test of the pairs (scores
# must be whole numbers there).
flips <- function(d, f) { # share of patterns whose statistic is at least that of d
  s <- as.matrix(expand.grid(rep(list(c(-1, 1)), length(d))))
  mean(f(s %*% d) >= f(sum(d)) - 1e-9)
}
d8 <- c(3, -1, 4, 1, 5, -2, 6, 2)
put("flip.8", d8)
put("flip.8.p", flips(d8, abs))
pair <- data.frame(v = c(pmax(d8, 0), pmax(-d8, 0)), side = factor(rep(1:2, each = 8)), of = factor(rep(1:8, 2)))
put("flip.8.coin", pvalue(symmetry_test(v ~ side | of, data = pair, distribution = "exact")))
put("flip.8.above", sapply(c(0, -1, -3, 2), function(m) flips(d8 - m, identity)))
d14 <- c(0.31, -0.12, 0.45, 0.22, -0.53, 0.64, 0.11, -0.27, 0.38, 0.49, 0.05, -0.16, 0.71, 0.2)
put("flip.14", d14); put("flip.14.p", flips(d14, abs))
d18 <- c(d14, -0.33, 0.28, 0.17, -0.09)
put("flip.18", d18); put("flip.18.p", c(flips(d18, abs), flips(d18 + 0.05, identity)))

# Wilson.
for (of in list(c(0, 12), c(3, 12), c(12, 12), c(57, 200), c(1, 1)))
  put(paste("wilson", of[1], of[2], sep = "."), suppressWarnings(prop.test(of[1], of[2], correct = FALSE, conf.level = 0.9))$conf.int)

# Families of p-values; an NA is no member.
p <- c(0.01, 0.04, NA, 0.03, 0.005, 0.9, 0.04)
put("adjust.p", ifelse(is.na(p), NaN, p))
put("adjust.holm", ifelse(is.na(p), NaN, p.adjust(p, "holm")))
put("adjust.bh", ifelse(is.na(p), NaN, p.adjust(p, "BH")))

# Noncentral t, by integrating over the chi of the denominator (pt itself says that its
# tail is not precise); q, nu, delta, P.
nct <- function(q, nu, delta) integrate(function(s) pnorm(q * s - delta) * 2 * s * nu * dchisq(nu * s^2, nu), 0, Inf, rel.tol = 1e-11, subdivisions = 2000)$value
for (of in list(c(2, 5, 1), c(-1, 3, 2), c(2.2, 11, 3), c(1.5, 30, -0.5), c(0, 7, 0.8), c(4, 2, 3.5), c(2, 9, 0)))
  put(paste0("nct.", paste(of, collapse = "_")), c(of, nct(of[1], of[2], of[3])))

# Power: n, effect, sd, alpha, power; of one sample, both tails (strict).
for (of in list(c(6, 1.2, 1), c(16, 2, 3), c(40, 0.5, 1), c(300, 0.1, 1)))
  for (alternative in c("two.sided", "one.sided"))
    put(paste("power", alternative, of[1], sep = "."), c(of, 0.05,
      power.t.test(of[1], of[2], of[3], 0.05, type = "one.sample", alternative = alternative, strict = TRUE)$power))
for (n in c(6, 16, 40, 300))
  put(paste("mde", n, sep = "."), c(
    power.t.test(n, NULL, 2.5, 0.05, 0.8, type = "one.sample", strict = TRUE, tol = 1e-10)$delta,
    power.t.test(n, NULL, 2.5, 0.05, 0.8, type = "one.sample", alternative = "one.sided", tol = 1e-10)$delta,
    power.t.test(n, NULL, 2.5, 0.1, 0.9, type = "one.sample", strict = TRUE, tol = 1e-10)$delta))
for (e in c(0.05, 0.2, 0.7, 1.1))
  put(paste("needed", e, sep = "."), ceiling(c(
    power.t.test(NULL, e, 1, 0.05, 0.8, type = "one.sample", strict = TRUE, tol = 1e-10)$n,
    power.t.test(NULL, e, 1, 0.05, 0.8, type = "one.sample", alternative = "one.sided", tol = 1e-10)$n)))

# Rank correlations, with ties.
u <- c(1, 2, 2, 3, 5, 4, 4, 7, 9, 8, 2, 6)
v <- c(2, 1, 3, 3, 4, 6, 5, 5, 9, 7, 3, 8)
put("rank.u", u); put("rank.v", v)
rho <- cor(u, v, method = "spearman"); tau <- cor(u, v, method = "kendall")
put("rank.rho_tau", c(rho, tau))
fisher <- function(r, se) tanh(atanh(r) + c(-1, 1) * qnorm(0.975) * se)
put("rank.intervals", c(fisher(rho, sqrt((1 + rho^2 / 2) / 9)), fisher(tau, sqrt(0.437 / 8))))

# Pigeonhole bootstrap of three rows and three columns, one cell empty: all 27 x 27
# draws; mean and variance of the resampled mean of row means. Cells by row.
cell <- matrix(c(1, 4, 9, 2, NA, 7, 3, 8, 5), 3, byrow = TRUE)
draws <- as.matrix(expand.grid(1:3, 1:3, 1:3))
all <- c()
for (r in 1:27) for (k in 1:27) {
  m <- rowMeans(cell[draws[r, ], draws[k, ]], na.rm = TRUE)
  all <- c(all, mean(m, na.rm = TRUE))
}
put("twoway.cells", ifelse(is.na(t(cell)), NaN, t(cell)))
put("twoway.moments", c(sum(is.na(all)) / 729, mean(all, na.rm = TRUE), mean(all^2, na.rm = TRUE) - mean(all, na.rm = TRUE)^2))
