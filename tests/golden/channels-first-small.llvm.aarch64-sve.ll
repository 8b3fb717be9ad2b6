; ModuleID = "gn_f32_o1_g2_c3_i301_relu"
target triple = "aarch64-unknown-linux-gnu"
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

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase0"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", ptr noalias %"partial", ptr noalias %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" noinline nounwind
{
entry:
  %".11" = call i64 @"llvm.vscale.i64"()
  %".12" = icmp uge i64 %".11", 2
  br i1 %".12", label %"entry.if", label %"entry.endif"
entry.if:
  call void @"gn_f32_o1_g2_c3_i301_relu_phase0_from2"(ptr %"x", ptr %"gamma", ptr %"beta", ptr %"y", ptr %"partial", ptr %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last")
  ret void
entry.endif:
  call void @"gn_f32_o1_g2_c3_i301_relu_phase0_from1"(ptr %"x", ptr %"gamma", ptr %"beta", ptr %"y", ptr %"partial", ptr %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last")
  ret void
}

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase0_from1"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", ptr noalias %"partial", ptr noalias %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" nounwind vscale_range(1,16)
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
  %"item" = phi  i64 [%"item_first", %"body"], [%".232", %"i_after.endif"]
  %".13" = icmp slt i64 %"item", %"item_last"
  br i1 %".13", label %"item_body", label %"item_after"
item_body:
  %".15" = urem i64 %"item", 2
  %".16" = udiv i64 %"item", 2
  %".17" = mul nsw i64 %".16", 1806
  %".18" = mul nsw i64 %".15", 903
  %".19" = add nsw i64 %".17", %".18"
  %".20" = getelementptr inbounds float, ptr %"x", i64 %".19"
  %".21" = load float, ptr %".20", align 4
  %".22" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".21", i32 0
  %".23" = shufflevector <8 x float> %".22", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
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
  %"i" = phi  i64 [0, %"item_body"], [%".91", %"i_body"]
  %".33" = add nsw i64 %"i", 32
  %".34" = icmp sle i64 %".33", 903
  br i1 %".34", label %"i_body", label %"i_after"
i_body:
  %".36" = mul nsw i64 %".16", 1806
  %".37" = mul nsw i64 %".15", 903
  %".38" = add nsw i64 %".36", %".37"
  %".39" = add nsw i64 %".38", %"i"
  %".40" = getelementptr inbounds float, ptr %"x", i64 %".39"
  %".41" = load <8 x float>, ptr %".40", align 4
  %".42" = fsub <8 x float> %".41", %".23"
  %".43" = load <8 x float>, ptr %"sum"
  %".44" = fadd <8 x float> %".43", %".42"
  store <8 x float> %".44", ptr %"sum"
  %".46" = load <8 x float>, ptr %"square"
  %".47" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".42", <8 x float> %".42", <8 x float> %".46")
  store <8 x float> %".47", ptr %"square"
  %".49" = mul nsw i64 %".16", 1806
  %".50" = mul nsw i64 %".15", 903
  %".51" = add nsw i64 %".49", %".50"
  %".52" = add nsw i64 %"i", 8
  %".53" = add nsw i64 %".51", %".52"
  %".54" = getelementptr inbounds float, ptr %"x", i64 %".53"
  %".55" = load <8 x float>, ptr %".54", align 4
  %".56" = fsub <8 x float> %".55", %".23"
  %".57" = load <8 x float>, ptr %"sum_2"
  %".58" = fadd <8 x float> %".57", %".56"
  store <8 x float> %".58", ptr %"sum_2"
  %".60" = load <8 x float>, ptr %"square_2"
  %".61" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".56", <8 x float> %".56", <8 x float> %".60")
  store <8 x float> %".61", ptr %"square_2"
  %".63" = mul nsw i64 %".16", 1806
  %".64" = mul nsw i64 %".15", 903
  %".65" = add nsw i64 %".63", %".64"
  %".66" = add nsw i64 %"i", 16
  %".67" = add nsw i64 %".65", %".66"
  %".68" = getelementptr inbounds float, ptr %"x", i64 %".67"
  %".69" = load <8 x float>, ptr %".68", align 4
  %".70" = fsub <8 x float> %".69", %".23"
  %".71" = load <8 x float>, ptr %"sum_3"
  %".72" = fadd <8 x float> %".71", %".70"
  store <8 x float> %".72", ptr %"sum_3"
  %".74" = load <8 x float>, ptr %"square_3"
  %".75" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".70", <8 x float> %".70", <8 x float> %".74")
  store <8 x float> %".75", ptr %"square_3"
  %".77" = mul nsw i64 %".16", 1806
  %".78" = mul nsw i64 %".15", 903
  %".79" = add nsw i64 %".77", %".78"
  %".80" = add nsw i64 %"i", 24
  %".81" = add nsw i64 %".79", %".80"
  %".82" = getelementptr inbounds float, ptr %"x", i64 %".81"
  %".83" = load <8 x float>, ptr %".82", align 4
  %".84" = fsub <8 x float> %".83", %".23"
  %".85" = load <8 x float>, ptr %"sum_4"
  %".86" = fadd <8 x float> %".85", %".84"
  store <8 x float> %".86", ptr %"sum_4"
  %".88" = load <8 x float>, ptr %"square_4"
  %".89" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".84", <8 x float> %".84", <8 x float> %".88")
  store <8 x float> %".89", ptr %"square_4"
  %".91" = add nsw i64 %"i", 32
  br label %"i_header", !llvm.loop !2
i_after:
  %".93" = mul nsw i64 %".16", 1806
  %".94" = mul nsw i64 %".15", 903
  %".95" = add nsw i64 %".93", %".94"
  %".96" = add nsw i64 %".95", 896
  %".97" = getelementptr inbounds float, ptr %"x", i64 %".96"
  %".98" = icmp slt i64 7, 8
  %".99" = select  i1 %".98", i64 7, i64 8
  %".100" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".99", i32 0
  %".101" = shufflevector <8 x i64> %".100", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".102" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".101"
  %".103" = call <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".97", i32 4, <8 x i1> %".102", <8 x float> %".23")
  %".104" = fsub <8 x float> %".103", %".23"
  %".105" = load <8 x float>, ptr %"sum"
  %".106" = fadd <8 x float> %".105", %".104"
  store <8 x float> %".106", ptr %"sum"
  %".108" = load <8 x float>, ptr %"square"
  %".109" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".104", <8 x float> %".104", <8 x float> %".108")
  store <8 x float> %".109", ptr %"square"
  %".111" = sitofp i64 903 to double
  %".112" = load <8 x float>, ptr %"sum"
  %".113" = load <8 x float>, ptr %"sum_2"
  %".114" = fadd <8 x float> %".112", %".113"
  %".115" = load <8 x float>, ptr %"sum_3"
  %".116" = load <8 x float>, ptr %"sum_4"
  %".117" = fadd <8 x float> %".115", %".116"
  %".118" = fadd <8 x float> %".114", %".117"
  %".119" = fpext <8 x float> %".118" to <8 x double>
  %".120" = shufflevector <8 x double> %".119", <8 x double> %".119", <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %".121" = shufflevector <8 x double> %".119", <8 x double> %".119", <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %".122" = fadd <4 x double> %".120", %".121"
  %".123" = shufflevector <4 x double> %".122", <4 x double> %".122", <2 x i32> <i32 0, i32 1>
  %".124" = shufflevector <4 x double> %".122", <4 x double> %".122", <2 x i32> <i32 2, i32 3>
  %".125" = fadd <2 x double> %".123", %".124"
  %".126" = shufflevector <2 x double> %".125", <2 x double> %".125", <1 x i32> <i32 0>
  %".127" = shufflevector <2 x double> %".125", <2 x double> %".125", <1 x i32> <i32 1>
  %".128" = fadd <1 x double> %".126", %".127"
  %".129" = extractelement <1 x double> %".128", i32 0
  %".130" = load <8 x float>, ptr %"square"
  %".131" = load <8 x float>, ptr %"square_2"
  %".132" = fadd <8 x float> %".130", %".131"
  %".133" = load <8 x float>, ptr %"square_3"
  %".134" = load <8 x float>, ptr %"square_4"
  %".135" = fadd <8 x float> %".133", %".134"
  %".136" = fadd <8 x float> %".132", %".135"
  %".137" = fpext <8 x float> %".136" to <8 x double>
  %".138" = shufflevector <8 x double> %".137", <8 x double> %".137", <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %".139" = shufflevector <8 x double> %".137", <8 x double> %".137", <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %".140" = fadd <4 x double> %".138", %".139"
  %".141" = shufflevector <4 x double> %".140", <4 x double> %".140", <2 x i32> <i32 0, i32 1>
  %".142" = shufflevector <4 x double> %".140", <4 x double> %".140", <2 x i32> <i32 2, i32 3>
  %".143" = fadd <2 x double> %".141", %".142"
  %".144" = shufflevector <2 x double> %".143", <2 x double> %".143", <1 x i32> <i32 0>
  %".145" = shufflevector <2 x double> %".143", <2 x double> %".143", <1 x i32> <i32 1>
  %".146" = fadd <1 x double> %".144", %".145"
  %".147" = extractelement <1 x double> %".146", i32 0
  %".148" = fdiv double %".129", %".111"
  %".149" = fpext float %".21" to double
  %".150" = fadd double %".149", %".148"
  store double %".150", ptr %"block_mean"
  %".152" = fmul double %".129", %".148"
  %".153" = fsub double %".147", %".152"
  store double %".153", ptr %"block_m2"
  %".155" = load double, ptr %"block_m2"
  %".156" = fmul double %".155", 0x4030000000000000
  %".157" = fcmp olt double 0x47efffffe0000000, %".156"
  %".158" = select  i1 %".157", double 0x47efffffe0000000, double %".156"
  %".159" = fcmp ole double %".147", %".158"
  %".160" = xor i1 %".159", -1
  br i1 %".160", label %"i_after.if", label %"i_after.endif"
i_after.if:
  store double              0x0, ptr %"redo"
  br label %"i_3_header"
i_after.endif:
  %".213" = load double, ptr %"block_mean"
  %".214" = mul nsw i64 %".16", 6
  %".215" = mul nsw i64 %".15", 3
  %".216" = add nsw i64 %".214", %".215"
  %".217" = getelementptr inbounds double, ptr %"partial", i64 %".216"
  store double %".213", ptr %".217", align 8
  %".219" = load double, ptr %"block_m2"
  %".220" = mul nsw i64 %".16", 6
  %".221" = mul nsw i64 %".15", 3
  %".222" = add nsw i64 %".220", %".221"
  %".223" = add nsw i64 %".222", 1
  %".224" = getelementptr inbounds double, ptr %"partial", i64 %".223"
  store double %".219", ptr %".224", align 8
  %".226" = mul nsw i64 %".16", 6
  %".227" = mul nsw i64 %".15", 3
  %".228" = add nsw i64 %".226", %".227"
  %".229" = add nsw i64 %".228", 2
  %".230" = getelementptr inbounds double, ptr %"partial", i64 %".229"
  store double %".111", ptr %".230", align 8
  %".232" = add nsw i64 %"item", 1
  br label %"item_header", !llvm.loop !1
i_3_header:
  %"i_3" = phi  i64 [0, %"i_after.if"], [%".176", %"i_3_body"]
  %".164" = icmp slt i64 %"i_3", 903
  br i1 %".164", label %"i_3_body", label %"i_3_after"
i_3_body:
  %".166" = load double, ptr %"redo"
  %".167" = mul nsw i64 %".16", 1806
  %".168" = mul nsw i64 %".15", 903
  %".169" = add nsw i64 %".167", %".168"
  %".170" = add nsw i64 %".169", %"i_3"
  %".171" = getelementptr inbounds float, ptr %"x", i64 %".170"
  %".172" = load float, ptr %".171", align 4
  %".173" = fpext float %".172" to double
  %".174" = fadd double %".166", %".173"
  store double %".174", ptr %"redo"
  %".176" = add nsw i64 %"i_3", 1
  br label %"i_3_header", !llvm.loop !3
i_3_after:
  %".178" = load double, ptr %"redo"
  %".179" = fdiv double %".178", %".111"
  store double              0x0, ptr %"redo_rest"
  store double              0x0, ptr %"redo_square"
  br label %"i_4_header"
i_4_header:
  %"i_4" = phi  i64 [0, %"i_3_after"], [%".199", %"i_4_body"]
  %".183" = icmp slt i64 %"i_4", 903
  br i1 %".183", label %"i_4_body", label %"i_4_after"
i_4_body:
  %".185" = mul nsw i64 %".16", 1806
  %".186" = mul nsw i64 %".15", 903
  %".187" = add nsw i64 %".185", %".186"
  %".188" = add nsw i64 %".187", %"i_4"
  %".189" = getelementptr inbounds float, ptr %"x", i64 %".188"
  %".190" = load float, ptr %".189", align 4
  %".191" = fpext float %".190" to double
  %".192" = fsub double %".191", %".179"
  %".193" = load double, ptr %"redo_rest"
  %".194" = fadd double %".193", %".192"
  store double %".194", ptr %"redo_rest"
  %".196" = load double, ptr %"redo_square"
  %".197" = call double @"llvm.fma.f64"(double %".192", double %".192", double %".196")
  store double %".197", ptr %"redo_square"
  %".199" = add nsw i64 %"i_4", 1
  br label %"i_4_header", !llvm.loop !4
i_4_after:
  %".201" = load double, ptr %"redo_rest"
  %".202" = fdiv double %".201", %".111"
  %".203" = fadd double %".179", %".202"
  store double %".203", ptr %"block_mean"
  %".205" = load double, ptr %"redo_square"
  %".206" = load double, ptr %"redo_rest"
  %".207" = load double, ptr %"redo_rest"
  %".208" = fmul double %".206", %".207"
  %".209" = fdiv double %".208", %".111"
  %".210" = fsub double %".205", %".209"
  store double %".210", ptr %"block_m2"
  br label %"i_after.endif"
}

declare <8 x float> @"llvm.fma.v8f32"(<8 x float> %".1", <8 x float> %".2", <8 x float> %".3")

declare <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".1", i32 %".2", <8 x i1> %".3", <8 x float> %".4")

declare double @"llvm.fma.f64"(double %".1", double %".2", double %".3")

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase0_from2"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", ptr noalias %"partial", ptr noalias %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" nounwind vscale_range(2,16)
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
  %"item" = phi  i64 [%"item_first", %"body"], [%".232", %"i_after.endif"]
  %".13" = icmp slt i64 %"item", %"item_last"
  br i1 %".13", label %"item_body", label %"item_after"
item_body:
  %".15" = urem i64 %"item", 2
  %".16" = udiv i64 %"item", 2
  %".17" = mul nsw i64 %".16", 1806
  %".18" = mul nsw i64 %".15", 903
  %".19" = add nsw i64 %".17", %".18"
  %".20" = getelementptr inbounds float, ptr %"x", i64 %".19"
  %".21" = load float, ptr %".20", align 4
  %".22" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".21", i32 0
  %".23" = shufflevector <8 x float> %".22", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
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
  %"i" = phi  i64 [0, %"item_body"], [%".91", %"i_body"]
  %".33" = add nsw i64 %"i", 32
  %".34" = icmp sle i64 %".33", 903
  br i1 %".34", label %"i_body", label %"i_after"
i_body:
  %".36" = mul nsw i64 %".16", 1806
  %".37" = mul nsw i64 %".15", 903
  %".38" = add nsw i64 %".36", %".37"
  %".39" = add nsw i64 %".38", %"i"
  %".40" = getelementptr inbounds float, ptr %"x", i64 %".39"
  %".41" = load <8 x float>, ptr %".40", align 4
  %".42" = fsub <8 x float> %".41", %".23"
  %".43" = load <8 x float>, ptr %"sum"
  %".44" = fadd <8 x float> %".43", %".42"
  store <8 x float> %".44", ptr %"sum"
  %".46" = load <8 x float>, ptr %"square"
  %".47" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".42", <8 x float> %".42", <8 x float> %".46")
  store <8 x float> %".47", ptr %"square"
  %".49" = mul nsw i64 %".16", 1806
  %".50" = mul nsw i64 %".15", 903
  %".51" = add nsw i64 %".49", %".50"
  %".52" = add nsw i64 %"i", 8
  %".53" = add nsw i64 %".51", %".52"
  %".54" = getelementptr inbounds float, ptr %"x", i64 %".53"
  %".55" = load <8 x float>, ptr %".54", align 4
  %".56" = fsub <8 x float> %".55", %".23"
  %".57" = load <8 x float>, ptr %"sum_2"
  %".58" = fadd <8 x float> %".57", %".56"
  store <8 x float> %".58", ptr %"sum_2"
  %".60" = load <8 x float>, ptr %"square_2"
  %".61" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".56", <8 x float> %".56", <8 x float> %".60")
  store <8 x float> %".61", ptr %"square_2"
  %".63" = mul nsw i64 %".16", 1806
  %".64" = mul nsw i64 %".15", 903
  %".65" = add nsw i64 %".63", %".64"
  %".66" = add nsw i64 %"i", 16
  %".67" = add nsw i64 %".65", %".66"
  %".68" = getelementptr inbounds float, ptr %"x", i64 %".67"
  %".69" = load <8 x float>, ptr %".68", align 4
  %".70" = fsub <8 x float> %".69", %".23"
  %".71" = load <8 x float>, ptr %"sum_3"
  %".72" = fadd <8 x float> %".71", %".70"
  store <8 x float> %".72", ptr %"sum_3"
  %".74" = load <8 x float>, ptr %"square_3"
  %".75" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".70", <8 x float> %".70", <8 x float> %".74")
  store <8 x float> %".75", ptr %"square_3"
  %".77" = mul nsw i64 %".16", 1806
  %".78" = mul nsw i64 %".15", 903
  %".79" = add nsw i64 %".77", %".78"
  %".80" = add nsw i64 %"i", 24
  %".81" = add nsw i64 %".79", %".80"
  %".82" = getelementptr inbounds float, ptr %"x", i64 %".81"
  %".83" = load <8 x float>, ptr %".82", align 4
  %".84" = fsub <8 x float> %".83", %".23"
  %".85" = load <8 x float>, ptr %"sum_4"
  %".86" = fadd <8 x float> %".85", %".84"
  store <8 x float> %".86", ptr %"sum_4"
  %".88" = load <8 x float>, ptr %"square_4"
  %".89" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".84", <8 x float> %".84", <8 x float> %".88")
  store <8 x float> %".89", ptr %"square_4"
  %".91" = add nsw i64 %"i", 32
  br label %"i_header", !llvm.loop !6
i_after:
  %".93" = mul nsw i64 %".16", 1806
  %".94" = mul nsw i64 %".15", 903
  %".95" = add nsw i64 %".93", %".94"
  %".96" = add nsw i64 %".95", 896
  %".97" = getelementptr inbounds float, ptr %"x", i64 %".96"
  %".98" = icmp slt i64 7, 8
  %".99" = select  i1 %".98", i64 7, i64 8
  %".100" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".99", i32 0
  %".101" = shufflevector <8 x i64> %".100", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".102" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".101"
  %".103" = call <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".97", i32 4, <8 x i1> %".102", <8 x float> %".23")
  %".104" = fsub <8 x float> %".103", %".23"
  %".105" = load <8 x float>, ptr %"sum"
  %".106" = fadd <8 x float> %".105", %".104"
  store <8 x float> %".106", ptr %"sum"
  %".108" = load <8 x float>, ptr %"square"
  %".109" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".104", <8 x float> %".104", <8 x float> %".108")
  store <8 x float> %".109", ptr %"square"
  %".111" = sitofp i64 903 to double
  %".112" = load <8 x float>, ptr %"sum"
  %".113" = load <8 x float>, ptr %"sum_2"
  %".114" = fadd <8 x float> %".112", %".113"
  %".115" = load <8 x float>, ptr %"sum_3"
  %".116" = load <8 x float>, ptr %"sum_4"
  %".117" = fadd <8 x float> %".115", %".116"
  %".118" = fadd <8 x float> %".114", %".117"
  %".119" = fpext <8 x float> %".118" to <8 x double>
  %".120" = shufflevector <8 x double> %".119", <8 x double> %".119", <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %".121" = shufflevector <8 x double> %".119", <8 x double> %".119", <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %".122" = fadd <4 x double> %".120", %".121"
  %".123" = shufflevector <4 x double> %".122", <4 x double> %".122", <2 x i32> <i32 0, i32 1>
  %".124" = shufflevector <4 x double> %".122", <4 x double> %".122", <2 x i32> <i32 2, i32 3>
  %".125" = fadd <2 x double> %".123", %".124"
  %".126" = shufflevector <2 x double> %".125", <2 x double> %".125", <1 x i32> <i32 0>
  %".127" = shufflevector <2 x double> %".125", <2 x double> %".125", <1 x i32> <i32 1>
  %".128" = fadd <1 x double> %".126", %".127"
  %".129" = extractelement <1 x double> %".128", i32 0
  %".130" = load <8 x float>, ptr %"square"
  %".131" = load <8 x float>, ptr %"square_2"
  %".132" = fadd <8 x float> %".130", %".131"
  %".133" = load <8 x float>, ptr %"square_3"
  %".134" = load <8 x float>, ptr %"square_4"
  %".135" = fadd <8 x float> %".133", %".134"
  %".136" = fadd <8 x float> %".132", %".135"
  %".137" = fpext <8 x float> %".136" to <8 x double>
  %".138" = shufflevector <8 x double> %".137", <8 x double> %".137", <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %".139" = shufflevector <8 x double> %".137", <8 x double> %".137", <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %".140" = fadd <4 x double> %".138", %".139"
  %".141" = shufflevector <4 x double> %".140", <4 x double> %".140", <2 x i32> <i32 0, i32 1>
  %".142" = shufflevector <4 x double> %".140", <4 x double> %".140", <2 x i32> <i32 2, i32 3>
  %".143" = fadd <2 x double> %".141", %".142"
  %".144" = shufflevector <2 x double> %".143", <2 x double> %".143", <1 x i32> <i32 0>
  %".145" = shufflevector <2 x double> %".143", <2 x double> %".143", <1 x i32> <i32 1>
  %".146" = fadd <1 x double> %".144", %".145"
  %".147" = extractelement <1 x double> %".146", i32 0
  %".148" = fdiv double %".129", %".111"
  %".149" = fpext float %".21" to double
  %".150" = fadd double %".149", %".148"
  store double %".150", ptr %"block_mean"
  %".152" = fmul double %".129", %".148"
  %".153" = fsub double %".147", %".152"
  store double %".153", ptr %"block_m2"
  %".155" = load double, ptr %"block_m2"
  %".156" = fmul double %".155", 0x4030000000000000
  %".157" = fcmp olt double 0x47efffffe0000000, %".156"
  %".158" = select  i1 %".157", double 0x47efffffe0000000, double %".156"
  %".159" = fcmp ole double %".147", %".158"
  %".160" = xor i1 %".159", -1
  br i1 %".160", label %"i_after.if", label %"i_after.endif"
i_after.if:
  store double              0x0, ptr %"redo"
  br label %"i_3_header"
i_after.endif:
  %".213" = load double, ptr %"block_mean"
  %".214" = mul nsw i64 %".16", 6
  %".215" = mul nsw i64 %".15", 3
  %".216" = add nsw i64 %".214", %".215"
  %".217" = getelementptr inbounds double, ptr %"partial", i64 %".216"
  store double %".213", ptr %".217", align 8
  %".219" = load double, ptr %"block_m2"
  %".220" = mul nsw i64 %".16", 6
  %".221" = mul nsw i64 %".15", 3
  %".222" = add nsw i64 %".220", %".221"
  %".223" = add nsw i64 %".222", 1
  %".224" = getelementptr inbounds double, ptr %"partial", i64 %".223"
  store double %".219", ptr %".224", align 8
  %".226" = mul nsw i64 %".16", 6
  %".227" = mul nsw i64 %".15", 3
  %".228" = add nsw i64 %".226", %".227"
  %".229" = add nsw i64 %".228", 2
  %".230" = getelementptr inbounds double, ptr %"partial", i64 %".229"
  store double %".111", ptr %".230", align 8
  %".232" = add nsw i64 %"item", 1
  br label %"item_header", !llvm.loop !5
i_3_header:
  %"i_3" = phi  i64 [0, %"i_after.if"], [%".176", %"i_3_body"]
  %".164" = icmp slt i64 %"i_3", 903
  br i1 %".164", label %"i_3_body", label %"i_3_after"
i_3_body:
  %".166" = load double, ptr %"redo"
  %".167" = mul nsw i64 %".16", 1806
  %".168" = mul nsw i64 %".15", 903
  %".169" = add nsw i64 %".167", %".168"
  %".170" = add nsw i64 %".169", %"i_3"
  %".171" = getelementptr inbounds float, ptr %"x", i64 %".170"
  %".172" = load float, ptr %".171", align 4
  %".173" = fpext float %".172" to double
  %".174" = fadd double %".166", %".173"
  store double %".174", ptr %"redo"
  %".176" = add nsw i64 %"i_3", 1
  br label %"i_3_header", !llvm.loop !7
i_3_after:
  %".178" = load double, ptr %"redo"
  %".179" = fdiv double %".178", %".111"
  store double              0x0, ptr %"redo_rest"
  store double              0x0, ptr %"redo_square"
  br label %"i_4_header"
i_4_header:
  %"i_4" = phi  i64 [0, %"i_3_after"], [%".199", %"i_4_body"]
  %".183" = icmp slt i64 %"i_4", 903
  br i1 %".183", label %"i_4_body", label %"i_4_after"
i_4_body:
  %".185" = mul nsw i64 %".16", 1806
  %".186" = mul nsw i64 %".15", 903
  %".187" = add nsw i64 %".185", %".186"
  %".188" = add nsw i64 %".187", %"i_4"
  %".189" = getelementptr inbounds float, ptr %"x", i64 %".188"
  %".190" = load float, ptr %".189", align 4
  %".191" = fpext float %".190" to double
  %".192" = fsub double %".191", %".179"
  %".193" = load double, ptr %"redo_rest"
  %".194" = fadd double %".193", %".192"
  store double %".194", ptr %"redo_rest"
  %".196" = load double, ptr %"redo_square"
  %".197" = call double @"llvm.fma.f64"(double %".192", double %".192", double %".196")
  store double %".197", ptr %"redo_square"
  %".199" = add nsw i64 %"i_4", 1
  br label %"i_4_header", !llvm.loop !8
i_4_after:
  %".201" = load double, ptr %"redo_rest"
  %".202" = fdiv double %".201", %".111"
  %".203" = fadd double %".179", %".202"
  store double %".203", ptr %"block_mean"
  %".205" = load double, ptr %"redo_square"
  %".206" = load double, ptr %"redo_rest"
  %".207" = load double, ptr %"redo_rest"
  %".208" = fmul double %".206", %".207"
  %".209" = fdiv double %".208", %".111"
  %".210" = fsub double %".205", %".209"
  store double %".210", ptr %"block_m2"
  br label %"i_after.endif"
}

declare i64 @"llvm.vscale.i64"()

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase1"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", ptr noalias %"partial", ptr noalias %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" noinline nounwind
{
entry:
  %".11" = call i64 @"llvm.vscale.i64"()
  %".12" = icmp uge i64 %".11", 2
  br i1 %".12", label %"entry.if", label %"entry.endif"
entry.if:
  call void @"gn_f32_o1_g2_c3_i301_relu_phase1_from2"(ptr %"x", ptr %"gamma", ptr %"beta", ptr %"y", ptr %"partial", ptr %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last")
  ret void
entry.endif:
  call void @"gn_f32_o1_g2_c3_i301_relu_phase1_from1"(ptr %"x", ptr %"gamma", ptr %"beta", ptr %"y", ptr %"partial", ptr %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last")
  ret void
}

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase1_from1"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", ptr noalias %"partial", ptr noalias %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" nounwind vscale_range(1,16)
{
entry:
  br label %"body"
body:
  br label %"item_header"
item_header:
  %"item" = phi  i64 [%"item_first", %"body"], [%".51", %"item_body"]
  %".13" = icmp slt i64 %"item", %"item_last"
  br i1 %".13", label %"item_body", label %"item_after"
item_body:
  %".15" = urem i64 %"item", 2
  %".16" = udiv i64 %"item", 2
  %".17" = mul nsw i64 %".16", 6
  %".18" = mul nsw i64 %".15", 3
  %".19" = add nsw i64 %".17", %".18"
  %".20" = getelementptr inbounds double, ptr %"partial", i64 %".19"
  %".21" = load double, ptr %".20", align 8
  %".22" = mul nsw i64 %".16", 6
  %".23" = mul nsw i64 %".15", 3
  %".24" = add nsw i64 %".22", %".23"
  %".25" = add nsw i64 %".24", 1
  %".26" = getelementptr inbounds double, ptr %"partial", i64 %".25"
  %".27" = load double, ptr %".26", align 8
  %".28" = mul nsw i64 %".16", 6
  %".29" = mul nsw i64 %".15", 3
  %".30" = add nsw i64 %".28", %".29"
  %".31" = add nsw i64 %".30", 2
  %".32" = getelementptr inbounds double, ptr %"partial", i64 %".31"
  %".33" = load double, ptr %".32", align 8
  %".34" = fcmp ogt double              0x0, %".27"
  %".35" = select  i1 %".34", double              0x0, double %".27"
  %".36" = fdiv double %".35", %".33"
  %".37" = fadd double %".36", 0x3f50624dd2f1a9fc
  %".38" = call double @"llvm.sqrt.f64"(double %".37")
  %".39" = fdiv double 0x3ff0000000000000, %".38"
  %".40" = mul nsw i64 %".16", 4
  %".41" = mul nsw i64 %".15", 2
  %".42" = add nsw i64 %".40", %".41"
  %".43" = getelementptr inbounds double, ptr %"stats", i64 %".42"
  store double %".21", ptr %".43", align 8
  %".45" = mul nsw i64 %".16", 4
  %".46" = mul nsw i64 %".15", 2
  %".47" = add nsw i64 %".45", %".46"
  %".48" = add nsw i64 %".47", 1
  %".49" = getelementptr inbounds double, ptr %"stats", i64 %".48"
  store double %".39", ptr %".49", align 8
  %".51" = add nsw i64 %"item", 1
  br label %"item_header", !llvm.loop !9
item_after:
  ret void
}

declare double @"llvm.sqrt.f64"(double %".1")

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase1_from2"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", ptr noalias %"partial", ptr noalias %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" nounwind vscale_range(2,16)
{
entry:
  br label %"body"
body:
  br label %"item_header"
item_header:
  %"item" = phi  i64 [%"item_first", %"body"], [%".51", %"item_body"]
  %".13" = icmp slt i64 %"item", %"item_last"
  br i1 %".13", label %"item_body", label %"item_after"
item_body:
  %".15" = urem i64 %"item", 2
  %".16" = udiv i64 %"item", 2
  %".17" = mul nsw i64 %".16", 6
  %".18" = mul nsw i64 %".15", 3
  %".19" = add nsw i64 %".17", %".18"
  %".20" = getelementptr inbounds double, ptr %"partial", i64 %".19"
  %".21" = load double, ptr %".20", align 8
  %".22" = mul nsw i64 %".16", 6
  %".23" = mul nsw i64 %".15", 3
  %".24" = add nsw i64 %".22", %".23"
  %".25" = add nsw i64 %".24", 1
  %".26" = getelementptr inbounds double, ptr %"partial", i64 %".25"
  %".27" = load double, ptr %".26", align 8
  %".28" = mul nsw i64 %".16", 6
  %".29" = mul nsw i64 %".15", 3
  %".30" = add nsw i64 %".28", %".29"
  %".31" = add nsw i64 %".30", 2
  %".32" = getelementptr inbounds double, ptr %"partial", i64 %".31"
  %".33" = load double, ptr %".32", align 8
  %".34" = fcmp ogt double              0x0, %".27"
  %".35" = select  i1 %".34", double              0x0, double %".27"
  %".36" = fdiv double %".35", %".33"
  %".37" = fadd double %".36", 0x3f50624dd2f1a9fc
  %".38" = call double @"llvm.sqrt.f64"(double %".37")
  %".39" = fdiv double 0x3ff0000000000000, %".38"
  %".40" = mul nsw i64 %".16", 4
  %".41" = mul nsw i64 %".15", 2
  %".42" = add nsw i64 %".40", %".41"
  %".43" = getelementptr inbounds double, ptr %"stats", i64 %".42"
  store double %".21", ptr %".43", align 8
  %".45" = mul nsw i64 %".16", 4
  %".46" = mul nsw i64 %".15", 2
  %".47" = add nsw i64 %".45", %".46"
  %".48" = add nsw i64 %".47", 1
  %".49" = getelementptr inbounds double, ptr %"stats", i64 %".48"
  store double %".39", ptr %".49", align 8
  %".51" = add nsw i64 %"item", 1
  br label %"item_header", !llvm.loop !10
item_after:
  ret void
}

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase2"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", ptr noalias %"partial", ptr noalias %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" noinline nounwind
{
entry:
  %".11" = call i64 @"llvm.vscale.i64"()
  %".12" = icmp uge i64 %".11", 2
  br i1 %".12", label %"entry.if", label %"entry.endif"
entry.if:
  call void @"gn_f32_o1_g2_c3_i301_relu_phase2_from2"(ptr %"x", ptr %"gamma", ptr %"beta", ptr %"y", ptr %"partial", ptr %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last")
  ret void
entry.endif:
  call void @"gn_f32_o1_g2_c3_i301_relu_phase2_from1"(ptr %"x", ptr %"gamma", ptr %"beta", ptr %"y", ptr %"partial", ptr %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last")
  ret void
}

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase2_from1"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", ptr noalias %"partial", ptr noalias %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" nounwind vscale_range(1,16)
{
entry:
  br label %"body"
body:
  br label %"item_header"
item_header:
  %"item" = phi  i64 [%"item_first", %"body"], [%".161", %"c_after"]
  %".13" = icmp slt i64 %"item", %"item_last"
  br i1 %".13", label %"item_body", label %"item_after"
item_body:
  %".15" = urem i64 %"item", 2
  %".16" = udiv i64 %"item", 2
  %".17" = mul nsw i64 %".16", 4
  %".18" = mul nsw i64 %".15", 2
  %".19" = add nsw i64 %".17", %".18"
  %".20" = getelementptr inbounds double, ptr %"stats", i64 %".19"
  %".21" = load double, ptr %".20", align 8
  %".22" = mul nsw i64 %".16", 4
  %".23" = mul nsw i64 %".15", 2
  %".24" = add nsw i64 %".22", %".23"
  %".25" = add nsw i64 %".24", 1
  %".26" = getelementptr inbounds double, ptr %"stats", i64 %".25"
  %".27" = load double, ptr %".26", align 8
  %".28" = fptrunc double %".21" to float
  %".29" = fpext float %".28" to double
  %".30" = fsub double %".21", %".29"
  %".31" = fptrunc double %".30" to float
  %".32" = fptrunc double %".27" to float
  br label %"c_header"
item_after:
  ret void
c_header:
  %"c" = phi  i64 [0, %"item_body"], [%".159", %"i_5_after.endif"]
  %".34" = icmp slt i64 %"c", 3
  br i1 %".34", label %"c_body", label %"c_after"
c_body:
  %".36" = mul nsw i64 %".15", 3
  %".37" = add nsw i64 %".36", %"c"
  %".38" = getelementptr inbounds float, ptr %"gamma", i64 %".37"
  %".39" = load float, ptr %".38", align 4
  %".40" = fmul float %".32", %".39"
  %".41" = fneg float %".31"
  %".42" = mul nsw i64 %".15", 3
  %".43" = add nsw i64 %".42", %"c"
  %".44" = getelementptr inbounds float, ptr %"beta", i64 %".43"
  %".45" = load float, ptr %".44", align 4
  %".46" = call float @"llvm.fma.f32"(float %".41", float %".40", float %".45")
  %".47" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".28", i32 0
  %".48" = shufflevector <8 x float> %".47", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".49" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".40", i32 0
  %".50" = shufflevector <8 x float> %".49", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".51" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".46", i32 0
  %".52" = shufflevector <8 x float> %".51", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".53" = mul nsw i64 %".16", 1806
  %".54" = mul nsw i64 %".15", 903
  %".55" = add nsw i64 %".53", %".54"
  %".56" = mul nsw i64 %"c", 301
  %".57" = add nsw i64 %".55", %".56"
  %".58" = getelementptr inbounds float, ptr %"y", i64 %".57"
  %".59" = ptrtoint ptr %".58" to i64
  %".60" = udiv i64 %".59", 4
  %".61" = sub i64 0, %".60"
  %".62" = and i64 %".61", 7
  %".63" = add nsw i64 0, %".62"
  %".64" = icmp slt i64 %".63", 301
  %".65" = select  i1 %".64", i64 %".63", i64 301
  %".66" = icmp slt i64 0, %".65"
  br i1 %".66", label %"c_body.if", label %"c_body.endif"
c_after:
  %".161" = add nsw i64 %"item", 1
  br label %"item_header", !llvm.loop !11
c_body.if:
  %".68" = mul nsw i64 %".16", 1806
  %".69" = mul nsw i64 %".15", 903
  %".70" = add nsw i64 %".68", %".69"
  %".71" = mul nsw i64 %"c", 301
  %".72" = add nsw i64 %".70", %".71"
  %".73" = getelementptr inbounds float, ptr %"x", i64 %".72"
  %".74" = icmp slt i64 %".65", 8
  %".75" = select  i1 %".74", i64 %".65", i64 8
  %".76" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".75", i32 0
  %".77" = shufflevector <8 x i64> %".76", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".78" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".77"
  %".79" = call <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".73", i32 4, <8 x i1> %".78", <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>)
  %".80" = fsub <8 x float> %".79", %".48"
  %".81" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".80", <8 x float> %".50", <8 x float> %".52")
  %".82" = call <8 x float> @"relu_f32x8"(<8 x float> %".81")
  %".83" = mul nsw i64 %".16", 1806
  %".84" = mul nsw i64 %".15", 903
  %".85" = add nsw i64 %".83", %".84"
  %".86" = mul nsw i64 %"c", 301
  %".87" = add nsw i64 %".85", %".86"
  %".88" = getelementptr inbounds float, ptr %"y", i64 %".87"
  %".89" = icmp slt i64 %".65", 8
  %".90" = select  i1 %".89", i64 %".65", i64 8
  %".91" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".90", i32 0
  %".92" = shufflevector <8 x i64> %".91", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".93" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".92"
  call void @"llvm.masked.store.v8f32.p0"(<8 x float> %".82", ptr %".88", i32 4, <8 x i1> %".93")
  br label %"c_body.endif"
c_body.endif:
  br label %"i_5_header"
i_5_header:
  %"i_5" = phi  i64 [%".65", %"c_body.endif"], [%".119", %"i_5_body"]
  %".97" = add nsw i64 %"i_5", 8
  %".98" = icmp sle i64 %".97", 301
  br i1 %".98", label %"i_5_body", label %"i_5_after"
i_5_body:
  %".100" = mul nsw i64 %".16", 1806
  %".101" = mul nsw i64 %".15", 903
  %".102" = add nsw i64 %".100", %".101"
  %".103" = mul nsw i64 %"c", 301
  %".104" = add nsw i64 %".102", %".103"
  %".105" = add nsw i64 %".104", %"i_5"
  %".106" = getelementptr inbounds float, ptr %"x", i64 %".105"
  %".107" = load <8 x float>, ptr %".106", align 4
  %".108" = fsub <8 x float> %".107", %".48"
  %".109" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".108", <8 x float> %".50", <8 x float> %".52")
  %".110" = call <8 x float> @"relu_f32x8"(<8 x float> %".109")
  %".111" = mul nsw i64 %".16", 1806
  %".112" = mul nsw i64 %".15", 903
  %".113" = add nsw i64 %".111", %".112"
  %".114" = mul nsw i64 %"c", 301
  %".115" = add nsw i64 %".113", %".114"
  %".116" = add nsw i64 %".115", %"i_5"
  %".117" = getelementptr inbounds float, ptr %"y", i64 %".116"
  store <8 x float> %".110", ptr %".117", align 4
  %".119" = add nsw i64 %"i_5", 8
  br label %"i_5_header", !llvm.loop !14
i_5_after:
  %".121" = sub i64 301, %".65"
  %".122" = sdiv i64 %".121", 8
  %".123" = mul i64 %".122", 8
  %".124" = add nsw i64 %".65", %".123"
  %".125" = icmp slt i64 %".124", 301
  br i1 %".125", label %"i_5_after.if", label %"i_5_after.endif"
i_5_after.if:
  %".127" = mul nsw i64 %".16", 1806
  %".128" = mul nsw i64 %".15", 903
  %".129" = add nsw i64 %".127", %".128"
  %".130" = mul nsw i64 %"c", 301
  %".131" = add nsw i64 %".129", %".130"
  %".132" = add nsw i64 %".131", %".124"
  %".133" = sub nsw i64 301, %".124"
  %".134" = getelementptr inbounds float, ptr %"x", i64 %".132"
  %".135" = icmp slt i64 %".133", 8
  %".136" = select  i1 %".135", i64 %".133", i64 8
  %".137" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".136", i32 0
  %".138" = shufflevector <8 x i64> %".137", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".139" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".138"
  %".140" = call <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".134", i32 4, <8 x i1> %".139", <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>)
  %".141" = fsub <8 x float> %".140", %".48"
  %".142" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".141", <8 x float> %".50", <8 x float> %".52")
  %".143" = call <8 x float> @"relu_f32x8"(<8 x float> %".142")
  %".144" = mul nsw i64 %".16", 1806
  %".145" = mul nsw i64 %".15", 903
  %".146" = add nsw i64 %".144", %".145"
  %".147" = mul nsw i64 %"c", 301
  %".148" = add nsw i64 %".146", %".147"
  %".149" = add nsw i64 %".148", %".124"
  %".150" = sub nsw i64 301, %".124"
  %".151" = getelementptr inbounds float, ptr %"y", i64 %".149"
  %".152" = icmp slt i64 %".150", 8
  %".153" = select  i1 %".152", i64 %".150", i64 8
  %".154" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".153", i32 0
  %".155" = shufflevector <8 x i64> %".154", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".156" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".155"
  call void @"llvm.masked.store.v8f32.p0"(<8 x float> %".143", ptr %".151", i32 4, <8 x i1> %".156")
  br label %"i_5_after.endif"
i_5_after.endif:
  %".159" = add nsw i64 %"c", 1
  br label %"c_header", !llvm.loop !12
}

declare float @"llvm.fma.f32"(float %".1", float %".2", float %".3")

declare void @"llvm.masked.store.v8f32.p0"(<8 x float> %".1", ptr %".2", i32 %".3", <8 x i1> %".4")

define internal void @"gn_f32_o1_g2_c3_i301_relu_phase2_from2"(ptr %"x", ptr noalias %"gamma", ptr noalias %"beta", ptr %"y", ptr noalias %"partial", ptr noalias %"stats", i64 %"batch", i64 %"item_first", i64 %"item_last") "no-builtins" nounwind vscale_range(2,16)
{
entry:
  br label %"body"
body:
  br label %"item_header"
item_header:
  %"item" = phi  i64 [%"item_first", %"body"], [%".161", %"c_after"]
  %".13" = icmp slt i64 %"item", %"item_last"
  br i1 %".13", label %"item_body", label %"item_after"
item_body:
  %".15" = urem i64 %"item", 2
  %".16" = udiv i64 %"item", 2
  %".17" = mul nsw i64 %".16", 4
  %".18" = mul nsw i64 %".15", 2
  %".19" = add nsw i64 %".17", %".18"
  %".20" = getelementptr inbounds double, ptr %"stats", i64 %".19"
  %".21" = load double, ptr %".20", align 8
  %".22" = mul nsw i64 %".16", 4
  %".23" = mul nsw i64 %".15", 2
  %".24" = add nsw i64 %".22", %".23"
  %".25" = add nsw i64 %".24", 1
  %".26" = getelementptr inbounds double, ptr %"stats", i64 %".25"
  %".27" = load double, ptr %".26", align 8
  %".28" = fptrunc double %".21" to float
  %".29" = fpext float %".28" to double
  %".30" = fsub double %".21", %".29"
  %".31" = fptrunc double %".30" to float
  %".32" = fptrunc double %".27" to float
  br label %"c_header"
item_after:
  ret void
c_header:
  %"c" = phi  i64 [0, %"item_body"], [%".159", %"i_5_after.endif"]
  %".34" = icmp slt i64 %"c", 3
  br i1 %".34", label %"c_body", label %"c_after"
c_body:
  %".36" = mul nsw i64 %".15", 3
  %".37" = add nsw i64 %".36", %"c"
  %".38" = getelementptr inbounds float, ptr %"gamma", i64 %".37"
  %".39" = load float, ptr %".38", align 4
  %".40" = fmul float %".32", %".39"
  %".41" = fneg float %".31"
  %".42" = mul nsw i64 %".15", 3
  %".43" = add nsw i64 %".42", %"c"
  %".44" = getelementptr inbounds float, ptr %"beta", i64 %".43"
  %".45" = load float, ptr %".44", align 4
  %".46" = call float @"llvm.fma.f32"(float %".41", float %".40", float %".45")
  %".47" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".28", i32 0
  %".48" = shufflevector <8 x float> %".47", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".49" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".40", i32 0
  %".50" = shufflevector <8 x float> %".49", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".51" = insertelement <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, float %".46", i32 0
  %".52" = shufflevector <8 x float> %".51", <8 x float> <float undef, float undef, float undef, float undef, float undef, float undef, float undef, float undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".53" = mul nsw i64 %".16", 1806
  %".54" = mul nsw i64 %".15", 903
  %".55" = add nsw i64 %".53", %".54"
  %".56" = mul nsw i64 %"c", 301
  %".57" = add nsw i64 %".55", %".56"
  %".58" = getelementptr inbounds float, ptr %"y", i64 %".57"
  %".59" = ptrtoint ptr %".58" to i64
  %".60" = udiv i64 %".59", 4
  %".61" = sub i64 0, %".60"
  %".62" = and i64 %".61", 7
  %".63" = add nsw i64 0, %".62"
  %".64" = icmp slt i64 %".63", 301
  %".65" = select  i1 %".64", i64 %".63", i64 301
  %".66" = icmp slt i64 0, %".65"
  br i1 %".66", label %"c_body.if", label %"c_body.endif"
c_after:
  %".161" = add nsw i64 %"item", 1
  br label %"item_header", !llvm.loop !15
c_body.if:
  %".68" = mul nsw i64 %".16", 1806
  %".69" = mul nsw i64 %".15", 903
  %".70" = add nsw i64 %".68", %".69"
  %".71" = mul nsw i64 %"c", 301
  %".72" = add nsw i64 %".70", %".71"
  %".73" = getelementptr inbounds float, ptr %"x", i64 %".72"
  %".74" = icmp slt i64 %".65", 8
  %".75" = select  i1 %".74", i64 %".65", i64 8
  %".76" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".75", i32 0
  %".77" = shufflevector <8 x i64> %".76", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".78" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".77"
  %".79" = call <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".73", i32 4, <8 x i1> %".78", <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>)
  %".80" = fsub <8 x float> %".79", %".48"
  %".81" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".80", <8 x float> %".50", <8 x float> %".52")
  %".82" = call <8 x float> @"relu_f32x8"(<8 x float> %".81")
  %".83" = mul nsw i64 %".16", 1806
  %".84" = mul nsw i64 %".15", 903
  %".85" = add nsw i64 %".83", %".84"
  %".86" = mul nsw i64 %"c", 301
  %".87" = add nsw i64 %".85", %".86"
  %".88" = getelementptr inbounds float, ptr %"y", i64 %".87"
  %".89" = icmp slt i64 %".65", 8
  %".90" = select  i1 %".89", i64 %".65", i64 8
  %".91" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".90", i32 0
  %".92" = shufflevector <8 x i64> %".91", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".93" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".92"
  call void @"llvm.masked.store.v8f32.p0"(<8 x float> %".82", ptr %".88", i32 4, <8 x i1> %".93")
  br label %"c_body.endif"
c_body.endif:
  br label %"i_5_header"
i_5_header:
  %"i_5" = phi  i64 [%".65", %"c_body.endif"], [%".119", %"i_5_body"]
  %".97" = add nsw i64 %"i_5", 8
  %".98" = icmp sle i64 %".97", 301
  br i1 %".98", label %"i_5_body", label %"i_5_after"
i_5_body:
  %".100" = mul nsw i64 %".16", 1806
  %".101" = mul nsw i64 %".15", 903
  %".102" = add nsw i64 %".100", %".101"
  %".103" = mul nsw i64 %"c", 301
  %".104" = add nsw i64 %".102", %".103"
  %".105" = add nsw i64 %".104", %"i_5"
  %".106" = getelementptr inbounds float, ptr %"x", i64 %".105"
  %".107" = load <8 x float>, ptr %".106", align 4
  %".108" = fsub <8 x float> %".107", %".48"
  %".109" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".108", <8 x float> %".50", <8 x float> %".52")
  %".110" = call <8 x float> @"relu_f32x8"(<8 x float> %".109")
  %".111" = mul nsw i64 %".16", 1806
  %".112" = mul nsw i64 %".15", 903
  %".113" = add nsw i64 %".111", %".112"
  %".114" = mul nsw i64 %"c", 301
  %".115" = add nsw i64 %".113", %".114"
  %".116" = add nsw i64 %".115", %"i_5"
  %".117" = getelementptr inbounds float, ptr %"y", i64 %".116"
  store <8 x float> %".110", ptr %".117", align 4
  %".119" = add nsw i64 %"i_5", 8
  br label %"i_5_header", !llvm.loop !17
i_5_after:
  %".121" = sub i64 301, %".65"
  %".122" = sdiv i64 %".121", 8
  %".123" = mul i64 %".122", 8
  %".124" = add nsw i64 %".65", %".123"
  %".125" = icmp slt i64 %".124", 301
  br i1 %".125", label %"i_5_after.if", label %"i_5_after.endif"
i_5_after.if:
  %".127" = mul nsw i64 %".16", 1806
  %".128" = mul nsw i64 %".15", 903
  %".129" = add nsw i64 %".127", %".128"
  %".130" = mul nsw i64 %"c", 301
  %".131" = add nsw i64 %".129", %".130"
  %".132" = add nsw i64 %".131", %".124"
  %".133" = sub nsw i64 301, %".124"
  %".134" = getelementptr inbounds float, ptr %"x", i64 %".132"
  %".135" = icmp slt i64 %".133", 8
  %".136" = select  i1 %".135", i64 %".133", i64 8
  %".137" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".136", i32 0
  %".138" = shufflevector <8 x i64> %".137", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".139" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".138"
  %".140" = call <8 x float> @"llvm.masked.load.v8f32.p0"(ptr %".134", i32 4, <8 x i1> %".139", <8 x float> <float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0, float              0x0>)
  %".141" = fsub <8 x float> %".140", %".48"
  %".142" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".141", <8 x float> %".50", <8 x float> %".52")
  %".143" = call <8 x float> @"relu_f32x8"(<8 x float> %".142")
  %".144" = mul nsw i64 %".16", 1806
  %".145" = mul nsw i64 %".15", 903
  %".146" = add nsw i64 %".144", %".145"
  %".147" = mul nsw i64 %"c", 301
  %".148" = add nsw i64 %".146", %".147"
  %".149" = add nsw i64 %".148", %".124"
  %".150" = sub nsw i64 301, %".124"
  %".151" = getelementptr inbounds float, ptr %"y", i64 %".149"
  %".152" = icmp slt i64 %".150", 8
  %".153" = select  i1 %".152", i64 %".150", i64 8
  %".154" = insertelement <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, i64 %".153", i32 0
  %".155" = shufflevector <8 x i64> %".154", <8 x i64> <i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef, i64 undef>, <8 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %".156" = icmp slt <8 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7>, %".155"
  call void @"llvm.masked.store.v8f32.p0"(<8 x float> %".143", ptr %".151", i32 4, <8 x i1> %".156")
  br label %"i_5_after.endif"
i_5_after.endif:
  %".159" = add nsw i64 %"c", 1
  br label %"c_header", !llvm.loop !16
}

define void @"gn_f32_o1_g2_c3_i301_relu"(ptr %".1", ptr %".2", ptr %".3", ptr %".4", ptr %".5", ptr %".6", i64 %".7", i32 %".8")
{
entry:
  %".10" = icmp sgt i32 %".8", 1
  %".11" = icmp sge i64 %".7", 14
  %".12" = and i1 %".10", %".11"
  %".13" = alloca {ptr, ptr, ptr, ptr, ptr, ptr, i64}
  br i1 %".12", label %"entry.if", label %"entry.endif"
entry.if:
  %".15" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".13", i32 0, i32 0
  store ptr %".1", ptr %".15"
  %".17" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".13", i32 0, i32 1
  store ptr %".2", ptr %".17"
  %".19" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".13", i32 0, i32 2
  store ptr %".3", ptr %".19"
  %".21" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".13", i32 0, i32 3
  store ptr %".4", ptr %".21"
  %".23" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".13", i32 0, i32 4
  store ptr %".5", ptr %".23"
  %".25" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".13", i32 0, i32 5
  store ptr %".6", ptr %".25"
  %".27" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".13", i32 0, i32 6
  store i64 %".7", ptr %".27"
  call void @"GOMP_parallel"(void (ptr)* @"gn_f32_o1_g2_c3_i301_relu_region", ptr %".13", i32 %".8", i32 0)
  ret void
entry.endif:
  %".31" = mul i64 %".7", 2
  call void @"gn_f32_o1_g2_c3_i301_relu_phase0"(ptr %".1", ptr %".2", ptr %".3", ptr %".4", ptr %".5", ptr %".6", i64 %".7", i64 0, i64 %".31")
  %".33" = mul i64 %".7", 2
  call void @"gn_f32_o1_g2_c3_i301_relu_phase1"(ptr %".1", ptr %".2", ptr %".3", ptr %".4", ptr %".5", ptr %".6", i64 %".7", i64 0, i64 %".33")
  %".35" = mul i64 %".7", 2
  call void @"gn_f32_o1_g2_c3_i301_relu_phase2"(ptr %".1", ptr %".2", ptr %".3", ptr %".4", ptr %".5", ptr %".6", i64 %".7", i64 0, i64 %".35")
  ret void
}

define internal void @"gn_f32_o1_g2_c3_i301_relu_region"(ptr %".1")
{
entry:
  %".3" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 0
  %".4" = load ptr, ptr %".3"
  %".5" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 1
  %".6" = load ptr, ptr %".5"
  %".7" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 2
  %".8" = load ptr, ptr %".7"
  %".9" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 3
  %".10" = load ptr, ptr %".9"
  %".11" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 4
  %".12" = load ptr, ptr %".11"
  %".13" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 5
  %".14" = load ptr, ptr %".13"
  %".15" = getelementptr {ptr, ptr, ptr, ptr, ptr, ptr, i64}, ptr %".1", i32 0, i32 6
  %".16" = load i64, ptr %".15"
  %".17" = call i32 @"omp_get_thread_num"()
  %".18" = zext i32 %".17" to i64
  %".19" = call i32 @"omp_get_num_threads"()
  %".20" = zext i32 %".19" to i64
  %".21" = mul i64 %".16", 2
  %".22" = mul i64 %".21", %".18"
  %".23" = udiv i64 %".22", %".20"
  %".24" = add i64 %".18", 1
  %".25" = mul i64 %".21", %".24"
  %".26" = udiv i64 %".25", %".20"
  call void @"gn_f32_o1_g2_c3_i301_relu_phase0"(ptr %".4", ptr %".6", ptr %".8", ptr %".10", ptr %".12", ptr %".14", i64 %".16", i64 %".23", i64 %".26")
  call void @"GOMP_barrier"()
  %".29" = mul i64 %".16", 2
  %".30" = mul i64 %".29", %".18"
  %".31" = udiv i64 %".30", %".20"
  %".32" = add i64 %".18", 1
  %".33" = mul i64 %".29", %".32"
  %".34" = udiv i64 %".33", %".20"
  call void @"gn_f32_o1_g2_c3_i301_relu_phase1"(ptr %".4", ptr %".6", ptr %".8", ptr %".10", ptr %".12", ptr %".14", i64 %".16", i64 %".31", i64 %".34")
  call void @"GOMP_barrier"()
  %".37" = mul i64 %".16", 2
  %".38" = mul i64 %".37", %".18"
  %".39" = udiv i64 %".38", %".20"
  %".40" = add i64 %".18", 1
  %".41" = mul i64 %".37", %".40"
  %".42" = udiv i64 %".41", %".20"
  call void @"gn_f32_o1_g2_c3_i301_relu_phase2"(ptr %".4", ptr %".6", ptr %".8", ptr %".10", ptr %".12", ptr %".14", i64 %".16", i64 %".39", i64 %".42")
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
!6 = distinct !{ !6, !0 }
!7 = distinct !{ !7, !0 }
!8 = distinct !{ !8, !0 }
!9 = distinct !{ !9, !0 }
!10 = distinct !{ !10, !0 }
!11 = distinct !{ !11, !0 }
!12 = distinct !{ !12, !0 }
!13 = !{ !"llvm.loop.unroll.count", i32 4 }
!14 = distinct !{ !14, !13 }
!15 = distinct !{ !15, !0 }
!16 = distinct !{ !16, !0 }
!17 = distinct !{ !17, !13 }
