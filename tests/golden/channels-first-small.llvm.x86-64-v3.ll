; ModuleID = "gn_f32_o1_g2_c3_i301_relu"
target triple = "x86_64-unknown-linux-gnu"
target datalayout = ""

define internal <8 x float> @"relu_f32x8"(<8 x float> %"x") alwaysinline nounwind
{
entry:
  br label %"body"
body:
  %".4" = fcmp ogt <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>, %"x"
  %".5" = select  <8 x i1> %".4", <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>, <8 x float> %"x"
  ret <8 x float> %".5"
}

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase0"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" noinline nounwind
{
entry:
  %"redo_square" = alloca double
  %"redo_rest" = alloca double
  %"redo" = alloca double
  %"block_m2" = alloca double
  %"block_mean" = alloca double
  %"square_4" = alloca <8 x float>
  %"sum_4" = alloca <8 x float>
  %"square_3" = alloca <8 x float>
  %"sum_3" = alloca <8 x float>
  %"square_2" = alloca <8 x float>
  %"sum_2" = alloca <8 x float>
  %"square" = alloca <8 x float>
  %"sum" = alloca <8 x float>
  br label %"body"
body:
  br label %"item_header"
item_header:
  %"item" = phi  i64 [%"item_first", %"body"], [%".352", %"c_after"]
  %".11" = icmp slt i64 %"item", %"item_last"
  br i1 %".11", label %"item_body", label %"item_after"
item_body:
  %".13" = urem i64 %"item", 2
  %".14" = udiv i64 %"item", 2
  %".15" = mul nsw i64 %".14", 1806
  %".16" = mul nsw i64 %".13", 903
  %".17" = add nsw i64 %".15", %".16"
  %".18" = getelementptr inbounds float, ptr %"x", i64 %".17"
  %".19" = load float, ptr %".18", align 4
  %".20" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".19", i32 0
  %".21" = shufflevector <8 x float> %".20", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  store <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"sum"
  store <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"square"
  store <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"sum_2"
  store <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"square_2"
  store <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"sum_3"
  store <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"square_3"
  store <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"sum_4"
  store <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>, ptr %"square_4"
  br label %"i_header"
item_after:
  ret void
i_header:
  %"i" = phi  i64 [0, %"item_body"], [%".89", %"i_body"]
  %".31" = add nsw i64 %"i", 32
  %".32" = icmp sle i64 %".31", 903
  br i1 %".32", label %"i_body", label %"i_after"
i_body:
  %".34" = mul nsw i64 %".14", 1806
  %".35" = mul nsw i64 %".13", 903
  %".36" = add nsw i64 %".34", %".35"
  %".37" = add nsw i64 %".36", %"i"
  %".38" = getelementptr inbounds float, ptr %"x", i64 %".37"
  %".39" = load <8 x float>, ptr %".38", align 4
  %".40" = fsub <8 x float> %".39", %".21"
  %".41" = load <8 x float>, ptr %"sum"
  %".42" = fadd <8 x float> %".41", %".40"
  store <8 x float> %".42", ptr %"sum"
  %".44" = load <8 x float>, ptr %"square"
  %".45" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".40", <8 x float> %".40", <8 x float> %".44")
  store <8 x float> %".45", ptr %"square"
  %".47" = mul nsw i64 %".14", 1806
  %".48" = mul nsw i64 %".13", 903
  %".49" = add nsw i64 %".47", %".48"
  %".50" = add nsw i64 %"i", 8
  %".51" = add nsw i64 %".49", %".50"
  %".52" = getelementptr inbounds float, ptr %"x", i64 %".51"
  %".53" = load <8 x float>, ptr %".52", align 4
  %".54" = fsub <8 x float> %".53", %".21"
  %".55" = load <8 x float>, ptr %"sum_2"
  %".56" = fadd <8 x float> %".55", %".54"
  store <8 x float> %".56", ptr %"sum_2"
  %".58" = load <8 x float>, ptr %"square_2"
  %".59" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".54", <8 x float> %".54", <8 x float> %".58")
  store <8 x float> %".59", ptr %"square_2"
  %".61" = mul nsw i64 %".14", 1806
  %".62" = mul nsw i64 %".13", 903
  %".63" = add nsw i64 %".61", %".62"
  %".64" = add nsw i64 %"i", 16
  %".65" = add nsw i64 %".63", %".64"
  %".66" = getelementptr inbounds float, ptr %"x", i64 %".65"
  %".67" = load <8 x float>, ptr %".66", align 4
  %".68" = fsub <8 x float> %".67", %".21"
  %".69" = load <8 x float>, ptr %"sum_3"
  %".70" = fadd <8 x float> %".69", %".68"
  store <8 x float> %".70", ptr %"sum_3"
  %".72" = load <8 x float>, ptr %"square_3"
  %".73" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".68", <8 x float> %".68", <8 x float> %".72")
  store <8 x float> %".73", ptr %"square_3"
  %".75" = mul nsw i64 %".14", 1806
  %".76" = mul nsw i64 %".13", 903
  %".77" = add nsw i64 %".75", %".76"
  %".78" = add nsw i64 %"i", 24
  %".79" = add nsw i64 %".77", %".78"
  %".80" = getelementptr inbounds float, ptr %"x", i64 %".79"
  %".81" = load <8 x float>, ptr %".80", align 4
  %".82" = fsub <8 x float> %".81", %".21"
  %".83" = load <8 x float>, ptr %"sum_4"
  %".84" = fadd <8 x float> %".83", %".82"
  store <8 x float> %".84", ptr %"sum_4"
  %".86" = load <8 x float>, ptr %"square_4"
  %".87" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".82", <8 x float> %".82", <8 x float> %".86")
  store <8 x float> %".87", ptr %"square_4"
  %".89" = add nsw i64 %"i", 32
  br label %"i_header", !llvm.loop !2
i_after:
  %".91" = mul nsw i64 %".14", 1806
  %".92" = mul nsw i64 %".13", 903
  %".93" = add nsw i64 %".91", %".92"
  %".94" = add nsw i64 %".93", 896
  %".95" = getelementptr inbounds float, ptr %"x", i64 %".94"
  %".96" = icmp slt i64 7, 8
  %".97" = select  i1 %".96", i64 7, i64 8
  %".98" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".97", i32 0
  %".99" = shufflevector <8 x i64> %".98", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".100" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".99"
  %".101" = call <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".95", i32 4, <8 x i1> %".100", <8 x float> %".21")
  %".102" = fsub <8 x float> %".101", %".21"
  %".103" = load <8 x float>, ptr %"sum"
  %".104" = fadd <8 x float> %".103", %".102"
  store <8 x float> %".104", ptr %"sum"
  %".106" = load <8 x float>, ptr %"square"
  %".107" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".102", <8 x float> %".102", <8 x float> %".106")
  store <8 x float> %".107", ptr %"square"
  %".109" = sitofp i64 903 to double
  %".110" = load <8 x float>, ptr %"sum"
  %".111" = load <8 x float>, ptr %"sum_2"
  %".112" = fadd <8 x float> %".110", %".111"
  %".113" = load <8 x float>, ptr %"sum_3"
  %".114" = load <8 x float>, ptr %"sum_4"
  %".115" = fadd <8 x float> %".113", %".114"
  %".116" = fadd <8 x float> %".112", %".115"
  %".117" = fpext <8 x float> %".116" to <8 x double>
  %".118" = shufflevector <8 x double> %".117", <8 x double> %".117", <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %".119" = shufflevector <8 x double> %".117", <8 x double> %".117", <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %".120" = fadd <4 x double> %".118", %".119"
  %".121" = shufflevector <4 x double> %".120", <4 x double> %".120", <2 x i32> <i32 0, i32 1>
  %".122" = shufflevector <4 x double> %".120", <4 x double> %".120", <2 x i32> <i32 2, i32 3>
  %".123" = fadd <2 x double> %".121", %".122"
  %".124" = shufflevector <2 x double> %".123", <2 x double> %".123", <1 x i32> <i32 0>
  %".125" = shufflevector <2 x double> %".123", <2 x double> %".123", <1 x i32> <i32 1>
  %".126" = fadd <1 x double> %".124", %".125"
  %".127" = extractelement <1 x double> %".126", i32 0
  %".128" = load <8 x float>, ptr %"square"
  %".129" = load <8 x float>, ptr %"square_2"
  %".130" = fadd <8 x float> %".128", %".129"
  %".131" = load <8 x float>, ptr %"square_3"
  %".132" = load <8 x float>, ptr %"square_4"
  %".133" = fadd <8 x float> %".131", %".132"
  %".134" = fadd <8 x float> %".130", %".133"
  %".135" = fpext <8 x float> %".134" to <8 x double>
  %".136" = shufflevector <8 x double> %".135", <8 x double> %".135", <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %".137" = shufflevector <8 x double> %".135", <8 x double> %".135", <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %".138" = fadd <4 x double> %".136", %".137"
  %".139" = shufflevector <4 x double> %".138", <4 x double> %".138", <2 x i32> <i32 0, i32 1>
  %".140" = shufflevector <4 x double> %".138", <4 x double> %".138", <2 x i32> <i32 2, i32 3>
  %".141" = fadd <2 x double> %".139", %".140"
  %".142" = shufflevector <2 x double> %".141", <2 x double> %".141", <1 x i32> <i32 0>
  %".143" = shufflevector <2 x double> %".141", <2 x double> %".141", <1 x i32> <i32 1>
  %".144" = fadd <1 x double> %".142", %".143"
  %".145" = extractelement <1 x double> %".144", i32 0
  %".146" = fdiv double %".127", %".109"
  %".147" = fpext float %".19" to double
  %".148" = fadd double %".147", %".146"
  store double %".148", ptr %"block_mean"
  %".150" = fmul double %".127", %".146"
  %".151" = fsub double %".145", %".150"
  store double %".151", ptr %"block_m2"
  %".153" = load double, ptr %"block_m2"
  %".154" = fmul double %".153", 0x4030000000000000
  %".155" = fcmp olt double 0x47efffffe0000000, %".154"
  %".156" = select  i1 %".155", double 0x47efffffe0000000, double %".154"
  %".157" = fcmp ole double %".145", %".156"
  %".158" = xor i1 %".157", -1
  br i1 %".158", label %"i_after.if", label %"i_after.endif"
i_after.if:
  store double              0x0, ptr %"redo"
  br label %"i_3_header"
i_after.endif:
  %".211" = load double, ptr %"block_mean"
  %".212" = load double, ptr %"block_m2"
  %".213" = fcmp ogt double              0x0, %".212"
  %".214" = select  i1 %".213", double              0x0, double %".212"
  %".215" = fdiv double %".214", %".109"
  %".216" = fadd double %".215", 0x3f50624dd2f1a9fc
  %".217" = call double @"llvm.sqrt.f64"(double %".216")
  %".218" = fdiv double 0x3ff0000000000000, %".217"
  %".219" = fptrunc double %".211" to float
  %".220" = fpext float %".219" to double
  %".221" = fsub double %".211", %".220"
  %".222" = fptrunc double %".221" to float
  %".223" = fptrunc double %".218" to float
  br label %"c_header"
i_3_header:
  %"i_3" = phi  i64 [0, %"i_after.if"], [%".174", %"i_3_body"]
  %".162" = icmp slt i64 %"i_3", 903
  br i1 %".162", label %"i_3_body", label %"i_3_after"
i_3_body:
  %".164" = load double, ptr %"redo"
  %".165" = mul nsw i64 %".14", 1806
  %".166" = mul nsw i64 %".13", 903
  %".167" = add nsw i64 %".165", %".166"
  %".168" = add nsw i64 %".167", %"i_3"
  %".169" = getelementptr inbounds float, ptr %"x", i64 %".168"
  %".170" = load float, ptr %".169", align 4
  %".171" = fpext float %".170" to double
  %".172" = fadd double %".164", %".171"
  store double %".172", ptr %"redo"
  %".174" = add nsw i64 %"i_3", 1
  br label %"i_3_header", !llvm.loop !3
i_3_after:
  %".176" = load double, ptr %"redo"
  %".177" = fdiv double %".176", %".109"
  store double              0x0, ptr %"redo_rest"
  store double              0x0, ptr %"redo_square"
  br label %"i_4_header"
i_4_header:
  %"i_4" = phi  i64 [0, %"i_3_after"], [%".197", %"i_4_body"]
  %".181" = icmp slt i64 %"i_4", 903
  br i1 %".181", label %"i_4_body", label %"i_4_after"
i_4_body:
  %".183" = mul nsw i64 %".14", 1806
  %".184" = mul nsw i64 %".13", 903
  %".185" = add nsw i64 %".183", %".184"
  %".186" = add nsw i64 %".185", %"i_4"
  %".187" = getelementptr inbounds float, ptr %"x", i64 %".186"
  %".188" = load float, ptr %".187", align 4
  %".189" = fpext float %".188" to double
  %".190" = fsub double %".189", %".177"
  %".191" = load double, ptr %"redo_rest"
  %".192" = fadd double %".191", %".190"
  store double %".192", ptr %"redo_rest"
  %".194" = load double, ptr %"redo_square"
  %".195" = call double @"llvm.fma.f64"(double %".190", double %".190", double %".194")
  store double %".195", ptr %"redo_square"
  %".197" = add nsw i64 %"i_4", 1
  br label %"i_4_header", !llvm.loop !4
i_4_after:
  %".199" = load double, ptr %"redo_rest"
  %".200" = fdiv double %".199", %".109"
  %".201" = fadd double %".177", %".200"
  store double %".201", ptr %"block_mean"
  %".203" = load double, ptr %"redo_square"
  %".204" = load double, ptr %"redo_rest"
  %".205" = load double, ptr %"redo_rest"
  %".206" = fmul double %".204", %".205"
  %".207" = fdiv double %".206", %".109"
  %".208" = fsub double %".203", %".207"
  store double %".208", ptr %"block_m2"
  br label %"i_after.endif"
c_header:
  %"c" = phi  i64 [0, %"i_after.endif"], [%".350", %"i_5_after.endif"]
  %".225" = icmp slt i64 %"c", 3
  br i1 %".225", label %"c_body", label %"c_after"
c_body:
  %".227" = mul nsw i64 %".13", 3
  %".228" = add nsw i64 %".227", %"c"
  %".229" = getelementptr inbounds float, ptr %"gamma", i64 %".228"
  %".230" = load float, ptr %".229", align 4
  %".231" = fmul float %".223", %".230"
  %".232" = fneg float %".222"
  %".233" = mul nsw i64 %".13", 3
  %".234" = add nsw i64 %".233", %"c"
  %".235" = getelementptr inbounds float, ptr %"beta", i64 %".234"
  %".236" = load float, ptr %".235", align 4
  %".237" = call float @"llvm.fma.f32"(float %".232", float %".231", float %".236")
  %".238" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".219", i32 0
  %".239" = shufflevector <8 x float> %".238", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".240" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".231", i32 0
  %".241" = shufflevector <8 x float> %".240", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".242" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".237", i32 0
  %".243" = shufflevector <8 x float> %".242", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".244" = mul nsw i64 %".14", 1806
  %".245" = mul nsw i64 %".13", 903
  %".246" = add nsw i64 %".244", %".245"
  %".247" = mul nsw i64 %"c", 301
  %".248" = add nsw i64 %".246", %".247"
  %".249" = getelementptr inbounds float, ptr %"y", i64 %".248"
  %".250" = ptrtoint ptr %".249" to i64
  %".251" = udiv i64 %".250", 4
  %".252" = sub i64 0, %".251"
  %".253" = and i64 %".252", 7
  %".254" = add nsw i64 0, %".253"
  %".255" = icmp slt i64 %".254", 301
  %".256" = select  i1 %".255", i64 %".254", i64 301
  %".257" = icmp slt i64 0, %".256"
  br i1 %".257", label %"c_body.if", label %"c_body.endif"
c_after:
  %".352" = add nsw i64 %"item", 1
  br label %"item_header", !llvm.loop !1
c_body.if:
  %".259" = mul nsw i64 %".14", 1806
  %".260" = mul nsw i64 %".13", 903
  %".261" = add nsw i64 %".259", %".260"
  %".262" = mul nsw i64 %"c", 301
  %".263" = add nsw i64 %".261", %".262"
  %".264" = getelementptr inbounds float, ptr %"x", i64 %".263"
  %".265" = icmp slt i64 %".256", 8
  %".266" = select  i1 %".265", i64 %".256", i64 8
  %".267" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".266", i32 0
  %".268" = shufflevector <8 x i64> %".267", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".269" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".268"
  %".270" = call <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".264", i32 4, <8 x i1> %".269", <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>)
  %".271" = fsub <8 x float> %".270", %".239"
  %".272" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".271", <8 x float> %".241", <8 x float> %".243")
  %".273" = call <8 x float> @"relu_f32x8"(<8 x float> %".272")
  %".274" = mul nsw i64 %".14", 1806
  %".275" = mul nsw i64 %".13", 903
  %".276" = add nsw i64 %".274", %".275"
  %".277" = mul nsw i64 %"c", 301
  %".278" = add nsw i64 %".276", %".277"
  %".279" = getelementptr inbounds float, ptr %"y", i64 %".278"
  %".280" = icmp slt i64 %".256", 8
  %".281" = select  i1 %".280", i64 %".256", i64 8
  %".282" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".281", i32 0
  %".283" = shufflevector <8 x i64> %".282", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".284" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".283"
  call void @"llvm.masked.store.v8f32.p0"(<8 x float> %".273", ptr %".279", i32 4, <8 x i1> %".284")
  br label %"c_body.endif"
c_body.endif:
  br label %"i_5_header"
i_5_header:
  %"i_5" = phi  i64 [%".256", %"c_body.endif"], [%".310", %"i_5_body"]
  %".288" = add nsw i64 %"i_5", 8
  %".289" = icmp sle i64 %".288", 301
  br i1 %".289", label %"i_5_body", label %"i_5_after"
i_5_body:
  %".291" = mul nsw i64 %".14", 1806
  %".292" = mul nsw i64 %".13", 903
  %".293" = add nsw i64 %".291", %".292"
  %".294" = mul nsw i64 %"c", 301
  %".295" = add nsw i64 %".293", %".294"
  %".296" = add nsw i64 %".295", %"i_5"
  %".297" = getelementptr inbounds float, ptr %"x", i64 %".296"
  %".298" = load <8 x float>, ptr %".297", align 4
  %".299" = fsub <8 x float> %".298", %".239"
  %".300" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".299", <8 x float> %".241", <8 x float> %".243")
  %".301" = call <8 x float> @"relu_f32x8"(<8 x float> %".300")
  %".302" = mul nsw i64 %".14", 1806
  %".303" = mul nsw i64 %".13", 903
  %".304" = add nsw i64 %".302", %".303"
  %".305" = mul nsw i64 %"c", 301
  %".306" = add nsw i64 %".304", %".305"
  %".307" = add nsw i64 %".306", %"i_5"
  %".308" = getelementptr inbounds float, ptr %"y", i64 %".307"
  store <8 x float> %".301", ptr %".308", align 4
  %".310" = add nsw i64 %"i_5", 8
  br label %"i_5_header", !llvm.loop !7
i_5_after:
  %".312" = sub i64 301, %".256"
  %".313" = sdiv i64 %".312", 8
  %".314" = mul i64 %".313", 8
  %".315" = add nsw i64 %".256", %".314"
  %".316" = icmp slt i64 %".315", 301
  br i1 %".316", label %"i_5_after.if", label %"i_5_after.endif"
i_5_after.if:
  %".318" = mul nsw i64 %".14", 1806
  %".319" = mul nsw i64 %".13", 903
  %".320" = add nsw i64 %".318", %".319"
  %".321" = mul nsw i64 %"c", 301
  %".322" = add nsw i64 %".320", %".321"
  %".323" = add nsw i64 %".322", %".315"
  %".324" = sub nsw i64 301, %".315"
  %".325" = getelementptr inbounds float, ptr %"x", i64 %".323"
  %".326" = icmp slt i64 %".324", 8
  %".327" = select  i1 %".326", i64 %".324", i64 8
  %".328" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".327", i32 0
  %".329" = shufflevector <8 x i64> %".328", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".330" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".329"
  %".331" = call <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".325", i32 4, <8 x i1> %".330", <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>)
  %".332" = fsub <8 x float> %".331", %".239"
  %".333" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".332", <8 x float> %".241", <8 x float> %".243")
  %".334" = call <8 x float> @"relu_f32x8"(<8 x float> %".333")
  %".335" = mul nsw i64 %".14", 1806
  %".336" = mul nsw i64 %".13", 903
  %".337" = add nsw i64 %".335", %".336"
  %".338" = mul nsw i64 %"c", 301
  %".339" = add nsw i64 %".337", %".338"
  %".340" = add nsw i64 %".339", %".315"
  %".341" = sub nsw i64 301, %".315"
  %".342" = getelementptr inbounds float, ptr %"y", i64 %".340"
  %".343" = icmp slt i64 %".341", 8
  %".344" = select  i1 %".343", i64 %".341", i64 8
  %".345" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".344", i32 0
  %".346" = shufflevector <8 x i64> %".345", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".347" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".346"
  call void @"llvm.masked.store.v8f32.p0"(<8 x float> %".334", ptr %".342", i32 4, <8 x i1> %".347")
  br label %"i_5_after.endif"
i_5_after.endif:
  %".350" = add nsw i64 %"c", 1
  br label %"c_header", !llvm.loop !5
}

declare <8 x float> @"llvm.fma.v8f32"(<8 x float> %".1", <8 x float> %".2", <8 x float> %".3")

declare <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".1", i32 %".2", <8 x i1> %".3", <8 x float> %".4")

declare double @"llvm.fma.f64"(double %".1", double %".2", double %".3")

declare double @"llvm.sqrt.f64"(double %".1")

declare float @"llvm.fma.f32"(float %".1", float %".2", float %".3")

declare void @"llvm.masked.store.v8f32.p0"(<8 x float> %".1", ptr %".2", i32 %".3", <8 x i1> %".4")

define void @"gn_f32_o1_g2_c3_i301_relu"(ptr %".1", ptr %".2", ptr %".3", ptr %".4", i64 %".5", i32 %".6")
{
entry:
  %".8" = icmp sgt i32 %".6", 1
  %".9" = icmp sge i64 %".5", 14
  %".10" = and i1 %".8", %".9"
  %".11" = alloca {ptr, ptr, ptr, ptr, i64}
  br i1 %".10", label %"entry.if", label %"entry.endif"
entry.if:
  %".13" = getelementptr {ptr, ptr, ptr, ptr, i64}, ptr %".11", i32 0, i32 0
  store ptr %".1", ptr %".13"
  %".15" = getelementptr {ptr, ptr, ptr, ptr, i64}, ptr %".11", i32 0, i32 1
  store ptr %".2", ptr %".15"
  %".17" = getelementptr {ptr, ptr, ptr, ptr, i64}, ptr %".11", i32 0, i32 2
  store ptr %".3", ptr %".17"
  %".19" = getelementptr {ptr, ptr, ptr, ptr, i64}, ptr %".11", i32 0, i32 3
  store ptr %".4", ptr %".19"
  %".21" = getelementptr {ptr, ptr, ptr, ptr, i64}, ptr %".11", i32 0, i32 4
  store i64 %".5", ptr %".21"
  call void @"GOMP_parallel"(void (ptr)* @"gn_f32_o1_g2_c3_i301_relu_region", ptr %".11", i32 %".6", i32 0)
  ret void
entry.endif:
  %".25" = mul i64 %".5", 2
  call void @"gn_f32_o1_g2_c3_i301_relu_phase0"(ptr %".1", ptr %".2", ptr %".3", ptr %".4", i64 %".5", i64 0, i64 %".25")
  ret void
}

define internal void @"gn_f32_o1_g2_c3_i301_relu_region"(ptr %".1")
{
entry:
  %".3" = getelementptr {ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 0
  %".4" = load ptr, ptr %".3"
  %".5" = getelementptr {ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 1
  %".6" = load ptr, ptr %".5"
  %".7" = getelementptr {ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 2
  %".8" = load ptr, ptr %".7"
  %".9" = getelementptr {ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 3
  %".10" = load ptr, ptr %".9"
  %".11" = getelementptr {ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 4
  %".12" = load i64, ptr %".11"
  %".13" = call i32 @"omp_get_thread_num"()
  %".14" = zext i32 %".13" to i64
  %".15" = call i32 @"omp_get_num_threads"()
  %".16" = zext i32 %".15" to i64
  %".17" = mul i64 %".12", 2
  %".18" = mul i64 %".17", %".14"
  %".19" = udiv i64 %".18", %".16"
  %".20" = add i64 %".14", 1
  %".21" = mul i64 %".17", %".20"
  %".22" = udiv i64 %".21", %".16"
  call void @"gn_f32_o1_g2_c3_i301_relu_phase0"(ptr %".4", ptr %".6", ptr %".8", ptr %".10", i64 %".12", i64 %".19", i64 %".22")
  ret void
}

declare i32 @"omp_get_thread_num"()

declare i32 @"omp_get_num_threads"()

declare void @"GOMP_barrier"()

declare void @"GOMP_parallel"(ptr %".1", ptr %".2", i32 %".3", i32 %".4")

!0 = !{ !"llvm.loop.unroll.disable" }
!1 = distinct !{ !1, !0 }
!2 = distinct !{ !2, !0 }
!3 = distinct !{ !3, !0 }
!4 = distinct !{ !4, !0 }
!5 = distinct !{ !5, !0 }
!6 = !{ !"llvm.loop.unroll.count", i32 4 }
!7 = distinct !{ !7, !6 }
